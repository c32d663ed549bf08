import type { CancellationToken } from 'vscode-languageserver';

/** Lets several wait for the next change without missing one that happens while they are busy. */
export class ChangeSignal {
  private count = 0;
  private waiting: (() => void)[] = [];

  /** What {@link after} wants to know: how many changes there have been. */
  get now(): number {
    return this.count;
  }

  notify(): void {
    this.count += 1;
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  }

  /** Resolves when there was a change after a moment, or when nobody wants to know any more. */
  async after(moment: number, token: CancellationToken): Promise<void> {
    if (this.count !== moment || token.isCancellationRequested) return;
    await new Promise<void>((resolve) => {
      const cancel = token.onCancellationRequested(() => {
        this.waiting = this.waiting.filter((other) => other !== wake);
        resolve();
      });
      const wake = (): void => {
        cancel.dispose();
        resolve();
      };
      this.waiting.push(wake);
    });
  }
}
