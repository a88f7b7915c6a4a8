export { fetchPackages, planPackages } from "./fetch-packages.ts";
export type {
  ChosenPackages,
  ChosenSuite,
  DebianPackage,
  PackagePlan,
  PackageRequest,
  PlannedPackage,
  PriorityClass,
} from "./request.ts";
