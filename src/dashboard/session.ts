/** What one open dashboard knows: the run, the view, the size, the time. It tells its listeners when there is something new to
 *  draw, no more than ten times a second, and less often where a frame takes long. No terminal in here. */
import type { StampedEvent } from '../events/types.js';
import { createFrames } from './frames.js';
import type { Ability } from './keys.js';
import type { Size } from './layout.js';
import { type DashboardModel, emptyModel, reduce } from './model.js';
import { logRowsOf, type SceneOptions } from './scene.js';
import { type Effect, firstView, press, type View } from './view.js';

export interface SessionOptions {
  abilities: ReadonlySet<Ability>;
  size: Size;
  title: string;
  disputeCosts?: readonly string[];
  /** unix milliseconds; of a replay, the time that is replayed */
  now?: () => number;
  /** CPU time of this process, milliseconds */
  cpuMs?: () => number;
  onEffect: (effect: Effect) => void;
}

export interface Session {
  readonly model: DashboardModel;
  readonly view: View;
  push(event: StampedEvent): void;
  /** Another moment of a replay. */
  show(model: DashboardModel, status: string): void;
  press(key: string): void;
  resize(size: Size): void;
  /** Says it in the footer for a moment. */
  tell(text: string): void;
  /** What to draw; the same object until there is something new. */
  scene(): SceneOptions;
  /** Returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /** Ends the clock. Twice is harmless. */
  close(): void;
}

const noticeMs = 6000;

export function createSession(options: SessionOptions): Session {
  const { abilities, title, onEffect, disputeCosts = [], now = Date.now } = options;
  const listeners = new Set<() => void>();
  let model = emptyModel();
  let view = firstView;
  let size = options.size;
  let notice: { text: string; untilMs: number } | null = null;
  let status: string | null = null;

  const situation = () => ({ model, abilities, disputeCosts, view, size, nowMs: now(), title, status });
  const takeScene = (): SceneOptions => {
    if (notice !== null && Date.now() > notice.untilMs) notice = null;
    return { ...situation(), notice: notice?.text ?? null };
  };
  let scene = takeScene();
  const frames = createFrames(() => {
    scene = takeScene();
    for (const listener of listeners) listener();
  }, options.cpuMs);

  return {
    get model() {
      return model;
    },
    get view() {
      return view;
    },
    push(event) {
      model = reduce(model, event);
      frames.change();
    },
    show(moment, text) {
      model = moment;
      status = text;
      frames.change();
    },
    press(key) {
      const pressed = press(view, key, { ...situation(), logRows: logRowsOf(situation()) });
      view = pressed.view;
      if (pressed.effect?.do === 'tell') this.tell(pressed.effect.text);
      else if (pressed.effect !== undefined) onEffect(pressed.effect);
      frames.answer();
    },
    resize(next) {
      size = next;
      frames.draw();
    },
    tell(text) {
      notice = { text, untilMs: Date.now() + noticeMs };
      frames.change();
    },
    scene: () => scene,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: frames.close,
  };
}
