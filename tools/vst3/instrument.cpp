// A small VST3 instrument for the tests of hocket: the VST3 interfaces by hand, FluidSynth for the sound.
//
// Copyright (C) 2026 the hocket authors. This file alone, and what is built from it, is under the GNU General Public
// License, version 3, as the VST3 interfaces are that it includes (Debian's juce-modules-source-data). It is no part
// of the package hocket, which is MIT: nothing of it is installed or linked.
//
// It plays the SoundFont that HOCKET_TEST_SOUNDFONT names when it is loaded; without one it is silent. Parameters:
// "Programme" 0-127, "Gain" 0-1, "Late" (so many times that it is started before it sounds, as a sampler that loads
// its samples late). With -DEFFECT it is built as an effect, which is what a person may name by mistake.

#include <fluidsynth.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "pluginterfaces/base/ibstream.h"
#include "pluginterfaces/base/ipluginbase.h"
#include "pluginterfaces/vst/ivstaudioprocessor.h"
#include "pluginterfaces/vst/ivstcomponent.h"
#include "pluginterfaces/vst/ivsteditcontroller.h"
#include "pluginterfaces/vst/ivstevents.h"
#include "pluginterfaces/vst/ivstmidicontrollers.h"
#include "pluginterfaces/vst/ivstparameterchanges.h"

using namespace Steinberg;
using namespace Steinberg::Vst;

namespace {

#ifdef EFFECT
constexpr const char* kName = "Hocket Test Effect";
constexpr const char* kKind = "Fx";
const TUID kClass = INLINE_UID(0x686F636B, 0x65742D74, 0x65737421, 0x00000002);
constexpr int32 kInputs = 1;
#else
constexpr const char* kName = "Hocket Test Instrument";
constexpr const char* kKind = "Instrument|Synth";
const TUID kClass = INLINE_UID(0x686F636B, 0x65742D74, 0x65737421, 0x00000001);
constexpr int32 kInputs = 0;
#endif

enum Parameter : ParamID { kProgramme, kGain, kLate, kParameters };
constexpr int32 kSteps[kParameters] = {127, 0, 8};
constexpr double kDefaults[kParameters] = {0.0, 0.2, 0.0};
const char* const kTitles[kParameters] = {"Programme", "Gain", "Late"};
// controllers come as parameters: tag 1000 + controller, the same for all channels (an instance plays one track). Few,
// since a host reads hundreds of texts of each.
constexpr ParamID kControllers = 1000;
constexpr int kControllerNumbers[] = {kCtrlModWheel, kCtrlVolume, kCtrlPan, kCtrlExpression, kCtrlSustainOnOff,
                                      kCtrlSustenutoOnOff, kCtrlSoftPedalOnOff, kPitchBend};
constexpr int kControllerCount = std::size(kControllerNumbers);

void copy(String128 target, const char* text) {
    int i = 0;
    for (; text[i] && i < 127; ++i) target[i] = text[i];
    target[i] = 0;
}

struct Change {  // what happens at a sample: a note or a controller
    int32 offset;
    int kind, a, b, channel;
};

class Instrument final : public IComponent, public IAudioProcessor, public IEditController, public IMidiMapping {
public:
    Instrument() { std::copy(kDefaults, kDefaults + kParameters, values); }
    virtual ~Instrument() { silence(); }

    tresult PLUGIN_API queryInterface(const TUID wanted, void** object) override {
        QUERY_INTERFACE(wanted, object, FUnknown::iid, IComponent)
        QUERY_INTERFACE(wanted, object, IPluginBase::iid, IComponent)
        QUERY_INTERFACE(wanted, object, IComponent::iid, IComponent)
        QUERY_INTERFACE(wanted, object, IAudioProcessor::iid, IAudioProcessor)
        QUERY_INTERFACE(wanted, object, IEditController::iid, IEditController)
        QUERY_INTERFACE(wanted, object, IMidiMapping::iid, IMidiMapping)
        *object = nullptr;
        return kNoInterface;
    }
    uint32 PLUGIN_API addRef() override { return ++references; }
    uint32 PLUGIN_API release() override {
        const uint32 left = --references;
        if (!left) delete this;
        return left;
    }

    // --- component
    tresult PLUGIN_API initialize(FUnknown*) override { return kResultOk; }
    tresult PLUGIN_API terminate() override { return kResultOk; }
    tresult PLUGIN_API getControllerClassId(TUID) override { return kNotImplemented; }  // we are our own controller
    tresult PLUGIN_API setIoMode(IoMode) override { return kResultOk; }
    int32 PLUGIN_API getBusCount(MediaType type, BusDirection direction) override {
        if (type == kEvent) return direction == kInput && !kInputs ? 1 : 0;
        return direction == kInput ? kInputs : 1;
    }
    tresult PLUGIN_API getBusInfo(MediaType type, BusDirection direction, int32 index, BusInfo& bus) override {
        if (index < 0 || index >= getBusCount(type, direction)) return kInvalidArgument;
        bus = {};
        bus.mediaType = type;
        bus.direction = direction;
        bus.channelCount = type == kEvent ? 16 : 2;
        bus.busType = kMain;
        bus.flags = BusInfo::kDefaultActive;
        copy(bus.name, type == kEvent ? "MIDI" : direction == kInput ? "In" : "Out");
        return kResultOk;
    }
    tresult PLUGIN_API getRoutingInfo(RoutingInfo&, RoutingInfo&) override { return kNotImplemented; }
    tresult PLUGIN_API activateBus(MediaType, BusDirection, int32, TBool) override { return kResultOk; }
    tresult PLUGIN_API setActive(TBool state) override {
        silence();
        if (state) begin();
        return kResultOk;
    }
    tresult PLUGIN_API setState(IBStream* stream) override {
        char text[200] = {};
        int32 read = 0;
        double found[kParameters];
        stream->read(text, sizeof text - 1, &read);
        if (std::sscanf(text, "hocket1 %lf %lf %lf", &found[0], &found[1], &found[2]) != 3) return kResultFalse;
        std::copy(found, found + kParameters, values);
        apply();
        if (handler) handler->restartComponent(kParamValuesChanged);  // else the host puts its old values back
        return kResultOk;
    }
    tresult PLUGIN_API getState(IBStream* stream) override {
        char text[200];
        const int size = std::snprintf(text, sizeof text, "hocket1 %.6f %.6f %.6f", values[0], values[1], values[2]);
        int32 written = 0;
        return stream->write(text, size, &written);
    }

    // --- audio
    tresult PLUGIN_API setBusArrangements(SpeakerArrangement*, int32 ins, SpeakerArrangement* out, int32 outs) override {
        return ins == kInputs && outs == 1 && out[0] == SpeakerArr::kStereo ? kResultTrue : kResultFalse;
    }
    tresult PLUGIN_API getBusArrangement(BusDirection, int32, SpeakerArrangement& arrangement) override {
        arrangement = SpeakerArr::kStereo;
        return kResultOk;
    }
    tresult PLUGIN_API canProcessSampleSize(int32 size) override { return size == kSample32 ? kResultTrue : kResultFalse; }
    uint32 PLUGIN_API getLatencySamples() override { return 0; }
    tresult PLUGIN_API setupProcessing(ProcessSetup& setup) override {
        rate = setup.sampleRate;
        return kResultOk;
    }
    tresult PLUGIN_API setProcessing(TBool) override { return kResultOk; }
    uint32 PLUGIN_API getTailSamples() override { return kInfiniteTail; }
    tresult PLUGIN_API process(ProcessData& data) override {
        if (data.numOutputs < 1 || data.outputs[0].numChannels < 2 || !data.numSamples) return kResultOk;
        float *left = data.outputs[0].channelBuffers32[0], *right = data.outputs[0].channelBuffers32[1];
        gather(data);
        int32 done = 0;
        for (const Change& change : changes) {
            const int32 until = std::clamp(change.offset, done, data.numSamples);
            write(left, right, done, until);
            done = until;
            if (synth) play(change);
        }
        write(left, right, done, data.numSamples);
        return kResultOk;
    }

    // --- parameters
    tresult PLUGIN_API setComponentState(IBStream*) override { return kResultOk; }  // setState has it already
    int32 PLUGIN_API getParameterCount() override { return kParameters + kControllerCount; }
    tresult PLUGIN_API getParameterInfo(int32 index, ParameterInfo& info) override {
        info = {};
        if (index < 0 || index >= getParameterCount()) return kInvalidArgument;
        if (index < static_cast<int32>(kParameters)) {
            info.id = index;
            info.stepCount = kSteps[index];
            info.defaultNormalizedValue = kDefaults[index];
            info.flags = ParameterInfo::kCanAutomate;
            copy(info.title, kTitles[index]);
        } else {
            const int number = kControllerNumbers[index - kParameters];
            info.id = kControllers + number;
            info.flags = ParameterInfo::kIsHidden;
            copy(info.title, ("Controller " + std::to_string(number)).c_str());
        }
        return kResultOk;
    }
    tresult PLUGIN_API getParamStringByValue(ParamID id, ParamValue value, String128 text) override {
        char shown[32];
        std::snprintf(shown, sizeof shown, "%.4g", normalizedParamToPlain(id, value));
        copy(text, shown);
        return kResultOk;
    }
    tresult PLUGIN_API getParamValueByString(ParamID id, TChar* text, ParamValue& value) override {
        std::string plain;
        for (; *text; ++text) plain += static_cast<char>(*text);
        value = plainParamToNormalized(id, std::atof(plain.c_str()));
        return kResultOk;
    }
    ParamValue PLUGIN_API normalizedParamToPlain(ParamID id, ParamValue value) override {
        return id < kParameters && kSteps[id] ? std::round(value * kSteps[id]) : value;
    }
    ParamValue PLUGIN_API plainParamToNormalized(ParamID id, ParamValue value) override {
        return id < kParameters && kSteps[id] ? value / kSteps[id] : value;
    }
    ParamValue PLUGIN_API getParamNormalized(ParamID id) override { return id < kParameters ? values[id] : 0; }
    tresult PLUGIN_API setParamNormalized(ParamID id, ParamValue value) override {
        if (id >= kParameters) return kResultOk;
        values[id] = value;
        apply();
        return kResultOk;
    }
    tresult PLUGIN_API setComponentHandler(IComponentHandler* host) override {
        handler = host;
        return kResultOk;
    }
    IPlugView* PLUGIN_API createView(FIDString) override { return nullptr; }
    tresult PLUGIN_API getMidiControllerAssignment(int32 bus, int16, CtrlNumber number, ParamID& id) override {
        if (bus != 0 || !std::count(std::begin(kControllerNumbers), std::end(kControllerNumbers), number)) return kResultFalse;
        id = kControllers + number;
        return kResultTrue;
    }

private:
    enum Kind { kNoteOn, kNoteOff, kController, kBend, kProgram };

    void begin() {
        ++starts;
        const char* path = std::getenv("HOCKET_TEST_SOUNDFONT");
        if (!path) return;
        settings = new_fluid_settings();
        fluid_settings_setnum(settings, "synth.sample-rate", rate);
        fluid_settings_setint(settings, "synth.reverb.active", 0);
        fluid_settings_setint(settings, "synth.chorus.active", 0);
        fluid_settings_setint(settings, "synth.polyphony", 64);
        fluid_settings_setint(settings, "synth.dynamic-sample-loading", 1);
        synth = new_fluid_synth(settings);
        fluid_synth_set_interp_method(synth, -1, FLUID_INTERP_LINEAR);  // half the time of the usual one
        if (fluid_synth_sfload(synth, path, 1) == FLUID_FAILED) silence();
        apply();
    }
    void silence() {
        if (synth) delete_fluid_synth(synth);
        if (settings) delete_fluid_settings(settings);
        synth = nullptr;
        settings = nullptr;
    }
    void apply() {
        if (!synth) return;
        fluid_synth_set_gain(synth, static_cast<float>(values[kGain] * 2));
        for (int channel = 0; channel < 16; ++channel)
            if (channel != 9) fluid_synth_program_change(synth, channel, static_cast<int>(std::lround(values[kProgramme] * 127)));
    }
    void gather(ProcessData& data) {
        changes.clear();
        if (data.inputEvents) {
            for (int32 i = 0; i < data.inputEvents->getEventCount(); ++i) {
                Event event{};
                if (data.inputEvents->getEvent(i, event) == kResultOk) take(event);
            }
        }
        if (data.inputParameterChanges)
            for (int32 i = 0; i < data.inputParameterChanges->getParameterCount(); ++i)
                take(*data.inputParameterChanges->getParameterData(i));
        std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.offset < b.offset; });
    }
    void take(const Event& event) {
        const int32 at = event.sampleOffset;
        if (event.type == Event::kNoteOnEvent)
            changes.push_back({at, kNoteOn, event.noteOn.pitch, static_cast<int>(std::lround(event.noteOn.velocity * 127)), event.noteOn.channel});
        else if (event.type == Event::kNoteOffEvent)
            changes.push_back({at, kNoteOff, event.noteOff.pitch, 0, event.noteOff.channel});
        else if (event.type == Event::kLegacyMIDICCOutEvent && event.midiCCOut.controlNumber == kCtrlProgramChange)
            changes.push_back({at, kProgram, event.midiCCOut.value, 0, event.midiCCOut.channel});
    }
    void take(IParamValueQueue& queue) {
        const ParamID id = queue.getParameterId();
        for (int32 i = 0; i < queue.getPointCount(); ++i) {
            int32 at = 0;
            ParamValue value = 0;
            if (queue.getPoint(i, at, value) != kResultOk) continue;
            if (id < kParameters) {
                if (values[id] != value) setParamNormalized(id, value);
            } else if (id == kControllers + kPitchBend)
                changes.push_back({at, kBend, static_cast<int>(std::lround(value * 16383)), 0, -1});
            else if (id >= kControllers && id < kControllers + 128)
                changes.push_back({at, kController, static_cast<int>(id - kControllers), static_cast<int>(std::lround(value * 127)), -1});
        }
    }
    void play(const Change& change) {
        const int first = change.channel < 0 ? 0 : change.channel, last = change.channel < 0 ? 15 : change.channel;
        for (int channel = first; channel <= last; ++channel) switch (change.kind) {
            case kNoteOn: fluid_synth_noteon(synth, channel, change.a, change.b); break;
            case kNoteOff: fluid_synth_noteoff(synth, channel, change.a); break;
            case kController: fluid_synth_cc(synth, channel, change.a, change.b); break;
            case kBend: fluid_synth_pitch_bend(synth, channel, change.a); break;
            case kProgram: fluid_synth_program_change(synth, channel, change.a); break;
        }
    }
    void write(float* left, float* right, int32 from, int32 to) {
        if (to <= from) return;
        if (synth && starts > std::lround(values[kLate] * 8))
            fluid_synth_write_float(synth, to - from, left, from, 1, right, from, 1);
        else
            for (float* channel : {left, right}) std::fill(channel + from, channel + to, 0.0f);
    }

    std::atomic<uint32> references{1};
    double values[kParameters];
    double rate = 44100;
    int starts = 0;
    IComponentHandler* handler = nullptr;
    fluid_settings_t* settings = nullptr;
    fluid_synth_t* synth = nullptr;
    std::vector<Change> changes;
};

class Factory final : public IPluginFactory2 {
public:
    tresult PLUGIN_API queryInterface(const TUID wanted, void** object) override {
        QUERY_INTERFACE(wanted, object, FUnknown::iid, IPluginFactory)
        QUERY_INTERFACE(wanted, object, IPluginFactory::iid, IPluginFactory)
        QUERY_INTERFACE(wanted, object, IPluginFactory2::iid, IPluginFactory2)
        *object = nullptr;
        return kNoInterface;
    }
    uint32 PLUGIN_API addRef() override { return 1; }
    uint32 PLUGIN_API release() override { return 1; }
    tresult PLUGIN_API getFactoryInfo(PFactoryInfo* info) override {
        *info = PFactoryInfo("hocket", "", "", PFactoryInfo::kUnicode);
        return kResultOk;
    }
    int32 PLUGIN_API countClasses() override { return 1; }
    tresult PLUGIN_API getClassInfo(int32 index, PClassInfo* info) override {
        if (index) return kInvalidArgument;
        *info = PClassInfo(kClass, PClassInfo::kManyInstances, kVstAudioEffectClass, kName);
        return kResultOk;
    }
    tresult PLUGIN_API getClassInfo2(int32 index, PClassInfo2* info) override {
        if (index) return kInvalidArgument;
        *info = PClassInfo2(kClass, PClassInfo::kManyInstances, kVstAudioEffectClass, kName, 0, kKind, "hocket", "1.0.0", kVstVersionString);
        return kResultOk;
    }
    tresult PLUGIN_API createInstance(FIDString wanted, FIDString interface, void** object) override {
        *object = nullptr;
        if (std::memcmp(wanted, kClass, sizeof(TUID))) return kNoInterface;
        auto* instrument = new Instrument;
        const tresult found = instrument->queryInterface(interface, object);
        instrument->release();
        return found;
    }
};

}  // namespace

extern "C" {
SMTG_EXPORT_SYMBOL IPluginFactory* PLUGIN_API GetPluginFactory() {
    static Factory factory;
    return &factory;
}
SMTG_EXPORT_SYMBOL bool ModuleEntry(void*) { return true; }
SMTG_EXPORT_SYMBOL bool ModuleExit() { return true; }
}
