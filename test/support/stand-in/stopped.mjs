/**
 * Ends the run with exit code 1. With a text, the stand-in itself says on stderr what it cannot do; without one,
 * everything has been said in the recorded words.
 */
export class Stopped extends Error {
  constructor(text) {
    super(text ?? 'stopped as recorded');
    this.refusal = text;
  }
}
