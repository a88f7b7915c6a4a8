export { openCached } from "./cached-content.ts";
export { ContentCache, type ContentCacheOptions } from "./content-cache.ts";
