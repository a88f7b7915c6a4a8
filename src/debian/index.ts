export {
  fetchPackages,
  planPackages,
  type ChosenPackages,
  type ChosenSuite,
  type DebianPackage,
  type PackagePlan,
  type PackageRequest,
  type PlannedPackage,
  type PriorityClass,
} from "./repository/index.ts";
export { configuredText, makeSystem, type MadeSystem } from "./system/index.ts";
