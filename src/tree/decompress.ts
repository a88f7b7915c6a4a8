export async function decompress(chunks: AsyncIterable<Uint8Array>, _n: string) { return { format: "plain" as const, chunks }; }
