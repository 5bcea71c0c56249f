// The live session at a glance and its buttons: level and gate, mute, neutral, record, calibrate, mood, targets, delay and pace.
// The server sends the state; a press is sent to the server and shown once it has taken effect.

import { listenToLiveKeys } from "livelink-preview/live_keys.js";

const FLOOR_DBFS = -60;
const HOT_DBFS = -3; // no room left for a shout

export default {
  template: `
    <div class="live-panel" ref="panel">
      <div class="performers" v-if="subjects.length > 1" role="tablist">
        <button v-for="(subject, number) in subjects" :key="subject" role="tab" :aria-selected="number === performer" :class="{ on: number === performer }"
          :data-performer="number" @click="$emit('choose', number)">{{ subject }}</button>
        <span class="hint"><kbd>PgUp</kbd> <kbd>PgDn</kbd></span>
      </div>
      <div class="starting" v-if="!subjects.length">The session begins: the model is being loaded, and the face moves as soon as it hears something.</div>
      <div class="columns" v-else>
        <section>
          <h2>{{ state.microphone ? "Microphone" : "Audio" }}</h2>
          <div class="trouble" id="trouble" v-if="state.trouble" role="alert">{{ state.trouble }}</div>
          <div class="device" :title="state.device">{{ state.device }}</div>
          <template v-if="state.microphone">
            <div class="bar-row"><span>level</span>
              <div class="level" id="level" :class="{ clips: clips, hot: peak > ${HOT_DBFS} }"><div :style="{ width: part(level) }"></div><i :style="{ left: part(peak) }"></i></div>
              <output id="level-text">{{ state.muted ? "muted" : level.toFixed(0) + " dBFS" }}</output></div>
            <div class="bar-row" v-if="state.gate !== null"><span>gate</span>
              <div class="level gate" id="gate"><div :style="{ width: 100 * state.gate + '%' }"></div></div>
              <output id="gate-text">{{ state.gate.toFixed(2) }}</output></div>
            <div class="clips" v-if="clips">CLIPPED: turn the microphone down</div>
          </template>
          <dl class="figures" id="figures"><template v-for="[name, value] in state.figures" :key="name"><dt>{{ name }}</dt><dd>{{ value }}</dd></template></dl>
        </section>
        <section>
          <h2>Session</h2>
          <button class="act record" id="record" :class="{ on: recording.on }" :disabled="!state.recording" @click="act('record')">
            <kbd>R</kbd><i></i><span>{{ recording.on ? "Recording " + stamp(recording.seconds) : "Record" }}</span></button>
          <div class="said" id="last-take" v-if="recording.last" :title="recording.last">{{ recording.last }}</div>
          <button class="act mute" id="mute" :class="{ on: state.muted }" :disabled="!state.microphone" @click="act('mute', !state.muted)">
            <kbd>M</kbd><span>{{ state.muted ? "Muted" : "Mute" }}</span></button>
          <button class="act" id="neutral" :class="{ on: state.neutral }" @click="act('neutral', !state.neutral)">
            <kbd>N</kbd><span>{{ state.neutral ? "Held at neutral" : "Neutral" }}</span></button>
          <button class="act" id="calibrate" :class="{ on: calibrating.hears }" :disabled="!state.microphone || !!calibrating.hears" @click="act('calibrate')">
            <kbd>C</kbd><span>{{ words }}</span></button>
          <div class="level progress" id="calibration" v-if="calibrating.hears"><div :style="{ width: 100 * calibrating.done + '%' }"></div></div>
          <div class="said" id="calibrated" :class="{ bad: calibrating.failed }" v-else-if="calibrating.result">{{ calibrating.result }}</div>
        </section>
        <section>
          <h2>Mood</h2>
          <div class="moods"><button v-for="(mood, number) in state.moods" :key="mood" class="act" :class="{ on: mood === (state.mood || 'neutral') }" :data-mood="mood"
            @click="feel(mood)"><kbd>{{ number }}</kbd><span>{{ mood }}</span></button></div>
          <label class="strength" :data-strength="state.strength">strength
            <input type="range" min="0.05" max="1" step="0.05" id="strength" :value="strength" :disabled="!state.mood || state.mood.includes('+')" aria-label="Strength of the mood"
              @input="strength = +$event.target.value" @change="feel(state.mood)" />
            <output>{{ strength.toFixed(2) }}</output></label>
          <div class="said" v-if="state.mood.includes('+')">{{ state.mood }}</div>
        </section>
        <section>
          <h2>Targets</h2>
          <ul class="targets" id="targets">
            <li v-for="target in state.targets" :key="target.name"><b>{{ target.name }}</b>
              <span>{{ target.sent }} sent</span><span v-if="target.undelivered" class="bad">{{ target.undelivered }} not delivered</span>
              <span v-if="target.trouble" class="bad">{{ target.trouble }}</span></li>
            <li v-if="!state.targets.length">This page alone: add receivers with --to</li>
          </ul>
        </section>
      </div>
    </div>`,
  props: { state: Object, performer: Number },
  emits: ["act", "choose", "key"],
  data: () => ({ level: -120, peak: -120, clips: 0, strength: 0.5 }),
  mounted() {
    this.strength = this.state.strength ?? 0.5;
    this.stopKeys = listenToLiveKeys(this);
  },
  beforeUnmount() {
    this.stopKeys();
  },
  watch: {
    "state.strength"(now) {
      if (now !== undefined) this.strength = now;
    },
  },
  computed: {
    subjects() {
      return this.state.subjects;
    },
    recording() {
      return this.state.recording ?? { on: false, seconds: 0, last: "" };
    },
    calibrating() {
      return this.state.calibration;
    },
    words() {
      if (!this.calibrating.hears) return "Calibrate";
      return this.calibrating.hears === "room" ? "Be quiet: measuring the room" : "Speak: measuring your voice";
    },
  },
  methods: {
    act(what, value = null) {
      this.$emit("act", { what, value });
    },
    feel(mood) {
      this.act("mood", mood === "neutral" ? mood : `${mood}:${this.strength}`);
    },
    meter([level, peak, clips]) {
      Object.assign(this, { level, peak, clips });
    },
    part: (dbfs) => `${100 * Math.min(1, Math.max(0, 1 - dbfs / FLOOR_DBFS))}%`,
    stamp: (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`,
  },
};
