// The sliders: groups of channels, each with its gain at hand and the rest one click away. A move is sent at once, and once
// more, as `final`, when the slider is released: that is one step of undo.

import { stage } from "livelink-preview/stage.js";

const SLIDERS = [
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
          <input type="range" v-bind="range(sliders[0])" :value="groupValue(channels)" :data-slider="group + '.gain'" :aria-label="'gain of ' + group"
            title="Gain of the whole group" @click.stop @input="move({ group }, sliders[0], $event, false)" @change="move({ group }, sliders[0], $event, true)" />
          <output>{{ groupValue(channels).toFixed(2) }}</output>
          <button class="letter solo" :class="{ on: channels.every((c) => solo.has(c)) }" title="Solo: only this moves" @click.stop="$emit('solo', { group })">S</button>
          <button class="letter mute" :class="{ on: channels.every((c) => muted.has(c)) }" title="Mute: this stays neutral" @click.stop="$emit('mute', { group })">M</button>
          <button class="icon" title="Reset the group" :disabled="!channels.some(isChanged)" @click.stop="$emit('reset', { group })"><i class="material-icons">restart_alt</i></button>
        </header>
        <template v-if="open.has(group)">
          <div v-for="channel in channels" :key="channel" class="channel" :class="{ quiet: isQuiet(channel) }">
            <div class="row">
              <button class="dot" :style="{ background: colours[channel] || 'transparent' }" :title="'Draw the curve of ' + channel" :aria-label="'curve of ' + channel"
                @click="toggleCurve(channel)"></button>
              <button class="name" :title="'More of ' + channel" @click="more = more === channel ? null : channel" :data-channel="channel">{{ channel }}</button>
              <div class="meter"><div :ref="(bar) => keep(channel, bar)"></div></div>
              <input type="range" v-bind="range(sliders[0])" :value="value(channel, sliders[0])" :data-slider="channel + '.gain'" :aria-label="'gain of ' + channel"
                @input="move({ channel }, sliders[0], $event, false)" @change="move({ channel }, sliders[0], $event, true)" />
              <output>{{ value(channel, sliders[0]).toFixed(2) }}</output>
              <button class="letter solo" :class="{ on: solo.has(channel) }" title="Solo" @click="$emit('solo', { channel })">S</button>
              <button class="letter mute" :class="{ on: muted.has(channel) }" title="Mute" @click="$emit('mute', { channel })">M</button>
              <button class="icon" title="Reset" :disabled="!isChanged(channel)" @click="$emit('reset', { channel })"><i class="material-icons">restart_alt</i></button>
            </div>
            <div class="more" v-if="more === channel">
              <label v-for="slider in slidersOf(channel)" :key="slider.field" :title="slider.help">
                <span>{{ slider.word }}</span>
                <input type="range" v-bind="range(slider)" :value="value(channel, slider)" :data-slider="channel + '.' + slider.field"
                  @input="move({ channel }, slider, $event, false)" @change="move({ channel }, slider, $event, true)" />
                <output>{{ value(channel, slider).toFixed(2) }}</output>
              </label>
            </div>
          </div>
        </template>
      </section>
    </div>`,
  props: { groups: Array, values: Object, soloed: Array, mutes: Array },
  emits: ["change", "solo", "mute", "reset"],
  data: () => ({ open: new Set(["jaw"]), more: null, colours: {}, sliders: SLIDERS, held: {} }),
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
    slidersOf: (channel) => SLIDERS.slice(1).filter((slider) => stage.names.indexOf(channel) < 52 || !WEIGHT_ONLY.has(slider.field)),
    value(channel, slider) {
      return this.held[channel]?.[slider.field] ?? this.values[channel]?.[slider.field] ?? slider.rest;
    },
    groupValue(channels) {
      return channels.reduce((sum, channel) => sum + this.value(channel, SLIDERS[0]), 0) / channels.length;
    },
    isChanged(channel) {
      return channel in this.values;
    },
    isQuiet(channel) {
      return this.muted.has(channel) || (this.solo.size && !this.solo.has(channel));
    },
    move(whose, slider, event, final) {
      const value = +event.target.value;
      const channels = whose.channel ? [whose.channel] : this.groups.find(([group]) => group === whose.group)[1];
      this.moving = true;
      clearTimeout(this.release);
      if (final) this.release = setTimeout(() => this.letGo(), ECHO_MS);
      for (const channel of channels) this.held = { ...this.held, [channel]: { ...this.held[channel], [slider.field]: value } };
      this.$emit("change", { ...whose, field: slider.field, value, final });
    },
    // From here on the sliders show the values of the server. Until it has echoed the last move, they keep the position of the drag.
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
