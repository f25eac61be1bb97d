#!/usr/bin/env bash
# Builds the VST3 instrument of the tests, and the same as an effect, into build/vst3: `make vst3-test-instrument`.
#
# From Debian's packages alone: the VST3 interfaces in juce-modules-source-data (unpacked here, not installed: its
# companion package wants GTK and WebKit, and none of that is needed), and libfluidsynth-dev. A few seconds of compiling.
# What is built is kept until the source changes. Exit code 3: it cannot be built here, with the reason.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/build/vst3
source=$PWD/tools/vst3/instrument.cpp
stamp=$out/$(sha256sum "$source" tools/vst3/build.sh | sha256sum | cut -c1-16)
[[ -e $stamp ]] && exit 0

cannot() { echo "the VST3 instrument of the tests cannot be built here: $1" >&2; exit 3; }

command -v g++ >/dev/null || cannot "no C++ compiler (apt-get install g++)"
mkdir -p "$out"
rm -f "$out"/????????????????
if ! pkg-config --exists fluidsynth 2>/dev/null && [[ ! -e /usr/include/fluidsynth.h ]]; then
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || cannot "no libfluidsynth-dev (as root: apt-get install libfluidsynth-dev)"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends libfluidsynth-dev; } >"$out/apt.log" 2>&1 || cannot "libfluidsynth-dev did not install ($out/apt.log)"
fi
sdk=usr/share/juce/modules/juce_audio_processors/format_types/VST3_SDK
if [[ -d /$sdk ]]; then
    sdk=/$sdk
else
    command -v apt-get >/dev/null || cannot "Debian's package juce-modules-source-data is not there, and no apt-get"
    [[ -d $out/juce/$sdk ]] || (
        cd "$out"
        apt-get download -qq juce-modules-source-data || { apt-get update -qq && apt-get download -qq juce-modules-source-data; }
        dpkg -x juce-modules-source-data_*.deb juce && rm -f juce-modules-source-data_*.deb
    ) >>"$out/apt.log" 2>&1 || cannot "juce-modules-source-data did not come ($out/apt.log)"
    sdk=$out/juce/$sdk
fi

build() { # name, compiler flags
    local binary=$out/$1.vst3/Contents/x86_64-linux/$1.so
    [[ $(uname -m) == x86_64 ]] || binary=$out/$1.vst3/Contents/$(uname -m)-linux/$1.so
    mkdir -p "$(dirname "$binary")"
    # nodelete: once unloaded, FluidSynth's libinstpatch waits for ever when it is loaded again (its GLib types are there already)
    g++ -std=c++17 -O2 -fPIC -shared -Wl,-z,nodelete -fvisibility=hidden -w -DRELEASE=1 "${@:2}" -I"$sdk" -o "$binary" "$source" \
        "$sdk"/pluginterfaces/base/{coreiids,funknown,conststringtable}.cpp "$sdk"/public.sdk/source/vst/vstinitiids.cpp -lfluidsynth
}
build HocketTestInstrument
build HocketTestEffect -DEFFECT
touch "$stamp"
echo "built $out/HocketTestInstrument.vst3"
