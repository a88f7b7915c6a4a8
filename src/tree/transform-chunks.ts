import type { Transform } from "node:stream";

/**
 * What a transform of `node:zlib` makes of the chunks. A chunk is given back (the next one is asked for) only when
 * the transform is done with it.
 */
export async function* throughTransform(
  chunks: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, void> {
  let inputError: unknown;
  const feeding = feed(chunks, transform).catch((error: unknown) => {
    inputError = error;
    transform.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const made of transform as AsyncIterable<Uint8Array>) yield made;
  } catch (error) {
    throw inputError ?? error;
  } finally {
    transform.destroy();
    await feeding;
  }
}

async function feed(chunks: AsyncIterable<Uint8Array>, transform: Transform): Promise<void> {
  for await (const chunk of chunks) {
    if (transform.destroyed || !(await written(transform, chunk))) return;
  }
  transform.end();
}

/** False where the transform has failed or was given up; the reading side tells why. */
function written(transform: Transform, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const closed = (): void => resolve(false);
    transform.once("close", closed);
    transform.write(chunk, (error) => {
      transform.off("close", closed);
      resolve(error === null || error === undefined);
    });
  });
}
