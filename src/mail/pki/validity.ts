export const dayMs = 86_400_000;
/** What is new begins so long ago: clocks that are a little behind, or are put back, are to accept it. */
export const clockSkewMs = 3_600_000;
export const yearMs = 365.25 * dayMs;
/** The root ends before 2050, as some systems know no later times. */
export const rootYears = 20;
export const issuingYears = 10;
/** Of a user's certificate. A lost device is revoked, so there is no need to renew often. */
export const clientDays = 1095;
/** Apple's systems accept no server certificate of more than 825 days, others of 398. */
export const serverDays = 397;
/** How much of that is left when the server renews it. */
export const serverRenewalDays = 60;
/** How long a revocation list holds, and how much of that is left when it is made anew: a server may stand still for long. */
export const listDays = 90;
export const listRenewalDays = 60;

export function leftDays(end: Date, now: Date): number {
  return (end.getTime() - now.getTime()) / dayMs;
}

/** `2026-11-30` */
export function dateOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
