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
export { makeSystem, type MadeSystem, type SystemRequest, type SystemSettings } from "./system/index.ts";
