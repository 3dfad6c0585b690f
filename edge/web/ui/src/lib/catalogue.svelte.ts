// The tables that the box describes itself with; only exercises change while it runs.

import { getExercises, getMetrics, getSkeletons } from "./api";
import { translated } from "./i18n";
import { settings } from "./settings.svelte";
import type { Exercise, Metric, Skeleton } from "./types";

class Catalogue {
  exercises = $state.raw<Exercise[]>([]);
  metrics = $state.raw<Metric[]>([]);
  skeletons = $state.raw<Record<string, Skeleton>>({});
  #loading: Promise<void> | undefined;

  /** Fetch the tables unless they are here; rejects when the box does not answer, and may be called again. */
  load(): Promise<void> {
    this.#loading ??= this.#fetch().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** The exercises are others than before. */
  async reload(): Promise<void> {
    this.exercises = await getExercises();
  }

  async #fetch(): Promise<void> {
    [this.exercises, this.metrics, this.skeletons] = await Promise.all([
      getExercises(),
      getMetrics(),
      getSkeletons(),
    ]);
  }

  exercise(id: string | null): Exercise | undefined {
    return this.exercises.find((row) => row.id === id);
  }

  /** Those that can be chosen, in the order of their names. */
  get counted(): Exercise[] {
    return this.exercises
      .filter(({ kind }) => kind !== "other")
      .sort((a, b) => translated(a.name).localeCompare(translated(b.name), settings.language));
  }

  exerciseName(id: string): string {
    const row = this.exercise(id);
    return row ? translated(row.name) : id;
  }

  metric(key: string): Metric | undefined {
    return this.metrics.find((row) => row.key === key);
  }

  metricName(key: string): string {
    const row = this.metric(key);
    return row ? translated(row.label) : key;
  }
}

export const catalogue = new Catalogue();
