/** As much of the editor as the code of trees needs. */

class Emitter<T> {
  private readonly listeners = new Set<(value: T) => void>();
  readonly event = (listener: (value: T) => void) => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of this.listeners) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

class Plain {
  appendText = () => this;
  appendMarkdown = () => this;
}

class Item {
  constructor(readonly label: string) {}
}

class Icon {
  constructor(readonly id: string) {}
}

export const EventEmitter = Emitter;
export const MarkdownString = Plain;
export const ThemeColor = Plain;
export const ThemeIcon = Icon;
export const TreeItem = Item;
export const TreeItemCollapsibleState = {};
export const Uri = { parse: () => ({}), file: (path: string) => ({ path }) };
