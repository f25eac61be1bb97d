// A small MIDI player: notes as JSON in the page, oscillators for voices, a piano roll that moves. No library, no fetch.
"use strict";
(() => {
  const COLOURS = ["#2f6fb0", "#d9722b", "#2a9d76", "#b5487f", "#7d63b8", "#a8832a", "#4aa3c7", "#8a5a44"];
  const DRUM = "#7a8494", VIEW_S = 12, AHEAD_S = 0.2;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let context = null, playing = null;

  // wave form, attack and release in seconds, seconds until a held note has faded to a third (0: it does not fade)
  const voice = (programme) => {
    if (programme < 32) return ["triangle", 0.004, 0.15, 0.7];
    if (programme < 40) return ["triangle", 0.01, 0.08, 1.5];
    if (programme < 56) return ["sawtooth", 0.06, 0.2, 0];
    if (programme < 80) return ["square", 0.03, 0.08, 0];
    return ["sawtooth", 0.02, 0.12, 0];
  };

  const noise = () => {
    const buffer = context.createBuffer(1, context.sampleRate / 2, context.sampleRate);
    const data = buffer.getChannelData(0);
    for (let i = 0, state = 1; i < data.length; i++) {
      state = (state * 16807) % 2147483647;
      data[i] = state / 1073741824 - 1;
    }
    return buffer;
  };

  const open = () => {
    if (context) return;
    context = new (window.AudioContext || window.webkitAudioContext)();
    context.noise = noise();
    const limiter = context.createDynamicsCompressor();
    limiter.connect(context.destination);
    context.bus = limiter;
  };

  const envelope = (peak, when, attack) => {
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime(peak, when + attack);
    return gain;
  };

  const strike = (pitch, loud, when) => {
    const kick = pitch < 37, source = kick ? context.createOscillator() : context.createBufferSource();
    const gain = envelope(loud * (kick ? 0.9 : 0.3), when, 0.002), length = kick ? 0.18 : pitch >= 49 ? 0.4 : 0.1;
    gain.gain.exponentialRampToValueAtTime(0.001, when + length);
    if (kick) {
      source.frequency.setValueAtTime(130, when);
      source.frequency.exponentialRampToValueAtTime(45, when + 0.1);
      source.connect(gain);
    } else {
      const filter = context.createBiquadFilter();
      filter.type = pitch < 42 ? "bandpass" : "highpass";
      filter.frequency.value = pitch < 42 ? 1800 : 6000;
      source.buffer = context.noise;
      source.connect(filter).connect(gain);
    }
    gain.connect(context.bus);
    source.start(when);
    source.stop(when + length);
    return source;
  };

  const sound = ([, programme, drum, pitch, velocity, , length, cents], when) => {
    const loud = (velocity / 127) ** 1.5;
    if (drum) return strike(pitch, loud, when);
    const [form, attack, release, fade] = voice(programme);
    const source = context.createOscillator(), end = when + Math.max(length / 1000, attack + 0.02);
    const gain = envelope(loud * (form === "triangle" ? 0.3 : 0.09), when, attack);
    if (fade) gain.gain.setTargetAtTime(0, when + attack, fade);
    gain.gain.setTargetAtTime(0, end, release / 3);
    source.type = form;
    source.frequency.value = 440 * 2 ** ((pitch - 69 + cents / 100) / 12);
    source.connect(gain).connect(context.bus);
    source.start(when);
    source.stop(end + release * 2);
    return source;
  };

  class Player {
    constructor(root) {
      this.root = root;
      this.notes = JSON.parse(root.querySelector("script").textContent);
      [this.button, this.slider, this.clock, this.canvas] =
        ["button", "input", "output", "canvas"].map((name) => root.querySelector(name));
      this.end = Math.max(...this.notes.map((note) => note[5] + note[6])) / 1000;
      this.low = Math.min(...this.notes.map((note) => note[3])) - 1;
      this.high = Math.max(...this.notes.map((note) => note[3])) + 2;
      this.at = 0;
      this.sounding = [];
      this.slider.max = this.end.toFixed(2);
      this.button.addEventListener("click", () => (playing === this ? this.stop() : this.play()));
      this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
      new ResizeObserver(() => this.draw()).observe(this.canvas);
      this.draw();
    }

    get now() { return playing === this ? Math.max(0, context.currentTime - this.origin) : this.at; }

    play() {
      open();
      context.resume();
      if (playing) playing.stop();
      document.querySelectorAll("audio").forEach((audio) => audio.pause());
      if (this.at >= this.end) this.at = 0;
      playing = this;
      this.origin = context.currentTime + 0.06 - this.at;
      this.next = this.notes.findIndex((note) => note[5] / 1000 >= this.at);
      if (this.next < 0) this.next = this.notes.length;
      this.button.textContent = "Stop";
      this.timer = setInterval(() => this.schedule(), 50);
      this.schedule();
      this.frame();
    }

    schedule() {
      const until = this.now + AHEAD_S;
      while (this.next < this.notes.length && this.notes[this.next][5] / 1000 < until) {
        const note = this.notes[this.next++], source = sound(note, Math.max(context.currentTime, this.origin + note[5] / 1000));
        source.onended = () => { this.sounding = this.sounding.filter((other) => other !== source); };
        this.sounding.push(source);
      }
      if (this.now > this.end + 0.5) { this.stop(); this.seek(0); }
    }

    stop() {
      this.at = Math.min(this.now, this.end);
      playing = null;
      clearInterval(this.timer);
      this.sounding.forEach((source) => source.stop());
      this.sounding = [];
      this.button.textContent = "Play MIDI";
      this.draw();
    }

    seek(seconds) {
      const going = playing === this;
      if (going) this.stop();
      this.at = seconds;
      if (going) this.play(); else this.draw();
    }

    frame() {
      if (playing !== this) return;
      this.draw();
      requestAnimationFrame(() => this.frame());
    }

    draw() {
      const ratio = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = this.canvas;
      if (!width) return;
      if (this.canvas.width !== Math.round(width * ratio)) {
        this.canvas.width = Math.round(width * ratio);
        this.canvas.height = Math.round(height * ratio);
      }
      const pen = this.canvas.getContext("2d"), style = getComputedStyle(this.root), now = Math.min(this.now, this.end);
      const start = still.matches ? Math.floor(now / VIEW_S) * VIEW_S : Math.max(0, now - VIEW_S / 3);
      const x = (seconds) => ((seconds - start) / VIEW_S) * width, row = height / (this.high - this.low);
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      for (const [track, , drum, pitch, velocity, onset, length] of this.notes) {
        const left = x(onset / 1000), wide = drum ? 4 : Math.max(2, (length / 1000 / VIEW_S) * width - 1);
        if (left > width) break;
        if (left + wide < 0) continue;
        const active = onset / 1000 <= now && now < (onset + length) / 1000 && (playing === this || this.at > 0);
        pen.globalAlpha = active ? 1 : 0.3 + (0.55 * velocity) / 127;
        pen.fillStyle = drum ? DRUM : COLOURS[track % COLOURS.length];
        pen.fillRect(left, (this.high - pitch - 1) * row, wide, Math.max(2.5, row - 0.5));
      }
      pen.globalAlpha = 1;
      pen.fillStyle = style.getPropertyValue("--ink");
      pen.fillRect(x(now) - 0.75, 0, 1.5, height);
      this.slider.value = now.toFixed(2);
      this.slider.setAttribute("aria-valuetext", `${now.toFixed(1)} of ${this.end.toFixed(1)} seconds`);
      const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
      this.clock.textContent = `${clock(now)} / ${clock(this.end)}`;
    }
  }

  const begin = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      begin.unobserve(entry.target);
      entry.target.player = new Player(entry.target);
    }
  }, { rootMargin: "400px" });
  document.querySelectorAll(".player").forEach((root) => begin.observe(root));
  document.addEventListener("play", (event) => {
    if (playing) playing.stop();
    document.querySelectorAll("audio").forEach((audio) => { if (audio !== event.target) audio.pause(); });
  }, true);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.querySelectorAll(".player").forEach((root) => root.player && root.player.draw()));
})();
