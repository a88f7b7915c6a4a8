import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import type { Problem } from "../file-system.ts";
import { readGeometry, type FoundGeometry } from "./geometry.ts";
import { NtfsFileSystem } from "./ntfs-file-system.ts";
import { NtfsSource } from "./ntfs-source.ts";
import { error, warning } from "./problems.ts";
import { readUpcase } from "./upcase.ts";
import { countFreeClusters } from "./used-extents.ts";
import { isJournalOpen, isWindowsAsleep, readVolumeFacts } from "./volume.ts";

/** Opens an NTFS volume for reading. Throws `damaged` where its boot sectors or its master file table are. */
export async function openNtfs(reader: BlockReader): Promise<NtfsFileSystem> {
  const geometry = await readGeometry(reader);
  const source = new NtfsSource(reader, geometry);
  const opening = new Opening();
  if (geometry.problem !== undefined) opening.error(geometry.problem);
  await openTable(source, opening);
  const facts = await opening.attempt(() => readVolumeFacts(source));
  await opening.noteState(source, facts?.isDirty === true);
  const freeClusters = await opening.attempt(() => countFreeClusters(source));
  const { upcase, problem } = await readUpcase(source);
  if (problem !== undefined) opening.error(problem);
  if (geometry.sectorCount * geometry.sectorBytes > reader.sizeBytes) opening.error(cutOff(geometry, reader));
  return new NtfsFileSystem(
    { source, geometry, upcase, problems: opening.problems },
    {
      kind: "ntfs",
      label: facts?.label ?? "",
      uuid: geometry.serial,
      sizeBytes: geometry.sectorCount * geometry.sectorBytes,
      blockSizeBytes: geometry.clusterBytes,
      freeBytes: (freeClusters ?? 0) * geometry.clusterBytes,
      features: facts === undefined ? [] : [facts.version],
      notes: opening.problems.map(({ message }) => message),
      foldsCase: true,
    },
  );
}

/** By the first record of the table, or its copy. Throws `damaged` where neither leads anywhere. */
async function openTable(source: NtfsSource, opening: Opening): Promise<void> {
  const { mftCluster, mirrorCluster } = source.geometry;
  try {
    await source.openTable(mftCluster);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    await source.openTable(mirrorCluster);
    opening.error(`${failure.message}; its copy in $MFTMirr is used`);
  }
}

function cutOff({ sectorCount, sectorBytes }: FoundGeometry, { sizeBytes }: BlockReader): string {
  return `the file system takes ${sectorCount * sectorBytes} bytes, its device ends at ${sizeBytes}`;
}

/** What is come upon. */
class Opening {
  readonly problems: Problem[] = [];

  error(message: string, hint?: string): void {
    this.problems.push(error(message, hint));
  }

  /** What `work` gives; where that is damaged, a problem is told instead and there is nothing. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.error(failure.message);
      return undefined;
    }
  }

  /** Whether another system still has something to do to it. */
  async noteState(source: NtfsSource, isDirty: boolean): Promise<void> {
    if (isDirty) {
      this.error(
        "dirty: Windows will check it at the next start",
        'let Windows check it ("chkdsk /f"); "ntfsfix -d" only forgets that it is dirty',
      );
    }
    if ((await this.attempt(() => isWindowsAsleep(source))) === true) {
      this.error(
        "hibernated: Windows is asleep in it, or was shut down for a fast start",
        'shut Windows down by "shutdown /s /t 0"; "powercfg /h off" turns fast starts off',
      );
    } else if (!isDirty && (await this.attempt(() => isJournalOpen(source))) === true) {
      this.problems.push(warning("its journal was not closed: the last changes may be in it only"));
    }
  }
}
