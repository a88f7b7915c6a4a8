import { fetchPackages, type PackageRequest } from "../../src/debian/index.ts";

// Run as a process of its own, with a request as JSON: prints the names of the packages, and how many bytes of
// them have come in on standard error.
const request = JSON.parse(process.argv[2] ?? "") as PackageRequest;
const { packages } = await fetchPackages(request, {
  onProgress({ phase, doneBytes }) {
    if (phase === "fetching packages") console.error(doneBytes);
  },
});
console.log(packages.map(({ name }) => name).join(" "));
