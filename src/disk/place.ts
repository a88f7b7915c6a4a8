/** Where something is: an image, a partition of it, a path in its file system. */
export interface Place {
  /** Path of a file or block device. */
  readonly image: string;
  /** From 1. Absent: the only file system of the image, or else its root file system. */
  readonly partition?: number;
  /** Begins with `/`. Absent: nothing inside was named. */
  readonly path?: string;
}
