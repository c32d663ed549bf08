/**
 * Paints a picture that depends on the seed and the size only: a sky gradient, a sun, and rows of hills.
 * Returns `width * height * 3` bytes of RGB.
 */
export function paintPicture(width, height, seed) {
  const random = randomFrom(seed);
  const hue = random() * 360;
  const top = colour(hue, 0.55, 0.25);
  const bottom = colour(hue + 40 + random() * 60, 0.75, 0.7);
  const sun = { x: 0.15 + random() * 0.7, y: 0.15 + random() * 0.3, radius: 0.06 + random() * 0.08 };
  const sunColour = colour(hue + 50, 0.9, 0.85);
  const hills = [0.55, 0.68, 0.82].map((level, index) => ({
    level,
    waves: [1, 2.3, 4.7].map((frequency) => ({ frequency: frequency * (1 + random()), phase: random() * 6.28 })),
    colour: colour(hue + 180 + index * 14, 0.45, 0.45 - index * 0.13)
  }));
  const pixels = Buffer.alloc(width * height * 3);
  const shorter = Math.min(width, height);
  for (let column = 0; column < width; column += 1) {
    const x = column / width;
    const ridges = hills.map((hill) => ridgeHeight(hill, x));
    for (let row = 0; row < height; row += 1) {
      const y = row / height;
      const front = ridges.findLastIndex((ridge) => y > ridge);
      const glow = glowOf(sun, ((x - sun.x) * width) / shorter, ((y - sun.y) * height) / shorter);
      const sky = top.map((value, channel) => mix(mix(value, bottom[channel], y * 1.4), sunColour[channel], glow));
      const shade = front < 0 ? sky : hills[front].colour.map((value) => value * (1 - (y - ridges[front]) * 0.6));
      pixels.set(
        shade.map((value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
        (row * width + column) * 3
      );
    }
  }
  return pixels;
}

function ridgeHeight({ level, waves }, x) {
  const swing = waves.reduce(
    (sum, { frequency, phase }) => sum + Math.sin(x * 6.28 * frequency + phase) / frequency,
    0
  );
  return level + swing * 0.05;
}

/** How strongly the sun shines at a distance from its centre, given in shares of the shorter edge. */
function glowOf(sun, right, down) {
  const distance = Math.hypot(right, down) / sun.radius;
  return distance < 1 ? 1 : Math.max(0, 0.6 / distance ** 2);
}

function mix(from, to, share) {
  return from + (to - from) * Math.min(1, share);
}

/** Red, green and blue between 0 and 1, from hue in degrees, saturation and lightness. */
function colour(hue, saturation, lightness) {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((offset) => {
    const turn = (offset + hue / 30) % 12;
    return lightness - reach * Math.max(-1, Math.min(turn - 3, 9 - turn, 1));
  });
}

/** A small generator (mulberry32) so that a seed always gives the same picture. */
function randomFrom(seed) {
  let state = Number(BigInt.asUintN(32, BigInt(seed)));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
