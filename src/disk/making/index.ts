/** What whoever makes a disk needs besides: it is loaded only then. */
export { fetchPackages, packageFetcher } from "./fetch-packages.ts";
export { uuidMaker } from "./identifiers.ts";
export { timeOfMaking } from "./time-of-making.ts";
