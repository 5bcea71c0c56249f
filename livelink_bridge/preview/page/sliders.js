// The sliders: groups of channels, each with its gain at hand and the rest one click away. What is moved is told at once, and once
// more, as `final`, when it is let go: that is one step of undo.

import { stage } from "livelink-preview/stage.js";

const KNOBS = [
  { field: "gain", word: "gain", low: 0, high: 2, step: 0.01, rest: 1, help: "Factor on what was predicted." },
  { field: "offset", word: "offset", low: -0.5, high: 0.5, step: 0.01, rest: 0, help: "Added after the gain." },
  { field: "lowest", word: "lowest", low: 0, high: 1, step: 0.01, rest: 0, help: "Never below." },
  { field: "highest", word: "highest", low: 0, high: 1, step: 0.01, rest: 1, help: "Never above." },
  { field: "curve", word: "curve", low: 0.2, high: 5, step: 0.05, rest: 1, help: "Exponent: above 1 keeps small movements small, below 1 lifts them." },
  { field: "smoothness", word: "smooth", low: 0, high: 1, step: 0.05, rest: 0, help: "0 is off; further right is calmer, never so late that speech suffers." },
];
const ECHO_MS = 500;
const WEIGHT_ONLY = new Set(["lowest", "highest", "curve"]);

export default {
  template: `
    <div class="sliders">
      <section v-for="[group, channels] in groups" :key="group" :class="{ open: open.has(group) }">
        <header @click="unfold(group)" :data-group="group">
          <i class="material-icons fold">{{ open.has(group) ? "expand_more" : "chevron_right" }}</i>
          <span class="name">{{ group }}</span>
          <span class="changed" v-if="channels.some(isChanged)" title="Changed">●</span>
          <input type="range" v-bind="range(knobs[0])" :value="groupValue(channels)" :data-knob="group + '.gain'" :aria-label="'gain of ' + group"
            title="Gain of the whole group" @click.stop @input="move({ group }, knobs[0], $event, false)" @change="move({ group }, knobs[0], $event, true)" />
          <output>{{ groupValue(channels).toFixed(2) }}</output>
          <button class="letter solo" :class="{ on: channels.every((c) => solo.has(c)) }" title="Solo: only this moves" @click.stop="$emit('solo', { group })">S</button>
          <button class="letter mute" :class="{ on: channels.every((c) => muted.has(c)) }" title="Mute: this rests" @click.stop="$emit('mute', { group })">M</button>
          <button class="icon" title="Reset the group" :disabled="!channels.some(isChanged)" @click.stop="$emit('reset', { group })"><i class="material-icons">restart_alt</i></button>
        </header>
        <template v-if="open.has(group)">
          <div v-for="channel in channels" :key="channel" class="channel" :class="{ quiet: isQuiet(channel) }">
            <div class="row">
              <button class="dot" :style="{ background: colours[channel] || 'transparent' }" :title="'Draw the curve of ' + channel" :aria-label="'curve of ' + channel"
                @click="toggleCurve(channel)"></button>
              <button class="name" :title="'More of ' + channel" @click="more = more === channel ? null : channel" :data-channel="channel">{{ channel }}</button>
              <div class="meter"><div :ref="(bar) => keep(channel, bar)"></div></div>
              <input type="range" v-bind="range(knobs[0])" :value="value(channel, knobs[0])" :data-knob="channel + '.gain'" :aria-label="'gain of ' + channel"
                @input="move({ channel }, knobs[0], $event, false)" @change="move({ channel }, knobs[0], $event, true)" />
              <output>{{ value(channel, knobs[0]).toFixed(2) }}</output>
              <button class="letter solo" :class="{ on: solo.has(channel) }" title="Solo" @click="$emit('solo', { channel })">S</button>
              <button class="letter mute" :class="{ on: muted.has(channel) }" title="Mute" @click="$emit('mute', { channel })">M</button>
              <button class="icon" title="Reset" :disabled="!isChanged(channel)" @click="$emit('reset', { channel })"><i class="material-icons">restart_alt</i></button>
            </div>
            <div class="more" v-if="more === channel">
              <label v-for="knob in knobsOf(channel)" :key="knob.field" :title="knob.help">
                <span>{{ knob.word }}</span>
                <input type="range" v-bind="range(knob)" :value="value(channel, knob)" :data-knob="channel + '.' + knob.field"
                  @input="move({ channel }, knob, $event, false)" @change="move({ channel }, knob, $event, true)" />
                <output>{{ value(channel, knob).toFixed(2) }}</output>
              </label>
            </div>
          </div>
        </template>
      </section>
    </div>`,
  props: { groups: Array, values: Object, soloed: Array, mutes: Array },
  emits: ["change", "solo", "mute", "reset"],
  data: () => ({ open: new Set(["jaw"]), more: null, colours: {}, knobs: KNOBS, held: {} }),
  created() {
    this.bars = {};
  },
  mounted() {
    stage.addEventListener("curves", () => this.readCurves());
    this.readCurves();
    this.pose = new Float32Array(61);
    this.loop();
  },
  computed: {
    solo() {
      return new Set(this.soloed);
    },
    muted() {
      return new Set(this.mutes);
    },
  },
  watch: {
    values() {
      if (!this.moving) this.letGo();
    },
  },
  methods: {
    range: ({ low, high, step }) => ({ min: low, max: high, step }),
    knobsOf: (channel) => KNOBS.slice(1).filter((knob) => stage.names.indexOf(channel) < 52 || !WEIGHT_ONLY.has(knob.field)),
    value(channel, knob) {
      return this.held[channel]?.[knob.field] ?? this.values[channel]?.[knob.field] ?? knob.rest;
    },
    groupValue(channels) {
      return channels.reduce((sum, channel) => sum + this.value(channel, KNOBS[0]), 0) / channels.length;
    },
    isChanged(channel) {
      return channel in this.values;
    },
    isQuiet(channel) {
      return this.muted.has(channel) || (this.solo.size && !this.solo.has(channel));
    },
    move(whose, knob, event, final) {
      const value = +event.target.value;
      const channels = whose.channel ? [whose.channel] : this.groups.find(([group]) => group === whose.group)[1];
      this.moving = true;
      clearTimeout(this.release);
      if (final) this.release = setTimeout(() => this.letGo(), ECHO_MS);
      for (const channel of channels) this.held = { ...this.held, [channel]: { ...this.held[channel], [knob.field]: value } };
      this.$emit("change", { ...whose, field: knob.field, value, final });
    },
    // From here on the sliders stand where the server says. Until its echo of the last move, they stand where the hand left them.
    letGo() {
      this.moving = false;
      this.held = {};
    },
    unfold(group) {
      this.open.has(group) ? this.open.delete(group) : this.open.add(group);
    },
    toggleCurve: (name) => stage.toggleCurve(name),
    readCurves() {
      this.colours = Object.fromEntries(stage.curves.map((name) => [name, stage.colourOf(name)]));
    },
    keep(channel, bar) {
      if (bar) this.bars[channel] = bar;
      else delete this.bars[channel];
    },
    // How far each channel is moved now.
    loop() {
      requestAnimationFrame(() => this.loop());
      const known = stage.live ? this.pose.set(stage.live) || true : stage.poseAt(stage.time, this.pose);
      if (!known) return;
      for (const [channel, bar] of Object.entries(this.bars)) {
        const size = Math.min(1, Math.abs(this.pose[stage.names.indexOf(channel)])).toFixed(2);
        if (bar.dataset.size !== size) bar.style.transform = `scaleX(${(bar.dataset.size = size)})`;
      }
    },
  },
};
