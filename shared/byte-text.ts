const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** A size for people, in decimal units as disks and hubs give them: 17795456 is "17.8 MB". */
export function byteText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** A duration for people: "45 s", "3 min", "1 h 20 min", "3 days". */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const days = Math.round(minutes / (24 * 60));
  if (days >= 2) return `${days} days`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago something was, for people: "3 min ago", "just now". @param then ms since the epoch, as `now` */
export function agoText(then: number, now: number): string {
  const seconds = (now - then) / 1000;
  return seconds < JUST_NOW_S ? 'just now' : `${durationText(seconds)} ago`;
}

/** Nobody counts so few seconds. */
const JUST_NOW_S = 10;
