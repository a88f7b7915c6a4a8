/**
 * A function whose module is loaded when it is first called. Most of the time that a short command takes goes to
 * loading modules, so what only some commands need stands behind one of these.
 */
export function lazily<Args extends readonly unknown[], Result>(
  load: () => Promise<(...args: Args) => Promise<Result>>,
): (...args: Args) => Promise<Result> {
  return async (...args) => (await load())(...args);
}

/** The same for a function that gives one thing after the other. */
export function lazilyEach<Args extends readonly unknown[], Item>(
  load: () => Promise<(...args: Args) => AsyncIterable<Item>>,
): (...args: Args) => AsyncGenerator<Item> {
  return async function* each(...args) {
    yield* (await load())(...args);
  };
}
