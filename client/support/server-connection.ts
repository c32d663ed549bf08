import { type Disposable, EventEmitter, type LogOutputChannel } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { messageOf } from '../../shared/failure';

/** `idle`: nobody has needed the server yet. `dead`: it ended by itself, and stays so until somebody restarts it. */
export type ServerState = 'idle' | 'starting' | 'running' | 'dead';

/** What a request meets when the language server is dead. */
export class ServerGone extends Error {
  constructor() {
    super('The Diffusion Dock language server is not running.');
    this.name = 'ServerGone';
  }
}

/** How the connection makes a client and what it does with it. */
export interface ServerConnectionOptions {
  /** @param onClosed to be called when the server ends without being asked to */
  readonly createClient: (onClosed: () => void) => LanguageClient;
  /** Attaches the handlers of notifications; called once for each client, before it starts. */
  readonly listen: (client: LanguageClient) => void;
  /** Tells a server that has started what it must know before the first request. */
  readonly greet: (client: LanguageClient) => Promise<void>;
  readonly log: LogOutputChannel;
}

/** The life of the language server, apart from the life of the extension: started on demand, replaced on restart. */
export class ServerConnection implements Disposable {
  private readonly stateChanged = new EventEmitter<ServerState>();
  private currentState: ServerState = 'idle';
  private current: LanguageClient | undefined;
  private ready: Promise<LanguageClient> | undefined;

  readonly onDidChangeState = this.stateChanged.event;

  constructor(private readonly options: ServerConnectionOptions) {}

  get state(): ServerState {
    return this.currentState;
  }

  /**
   * The client of a running server; starts the server when nobody has needed it yet.
   * @throws ServerGone when the server died or cannot be started
   */
  async client(): Promise<LanguageClient> {
    if (this.currentState === 'dead') throw new ServerGone();
    this.ready ??= this.launch();
    return this.ready;
  }

  /** The client when the server runs already, for what nobody needs to be told who is not there. */
  runningClient(): LanguageClient | undefined {
    return this.currentState === 'running' ? this.current : undefined;
  }

  /** Starts the server unless it runs or died. What goes wrong is in the log and in the state. */
  async ensureStarted(): Promise<void> {
    await this.client().catch((error: unknown) => this.options.log.debug(messageOf(error)));
  }

  /** Ends the server, if there is one, and starts another. @throws ServerGone */
  async restart(): Promise<void> {
    await this.stop();
    await this.client();
  }

  /** Ends the server; the next request would start another. */
  async stop(): Promise<void> {
    const { current, ready } = this;
    // A client cannot be stopped while it starts.
    await ready?.catch(() => undefined);
    this.current = undefined;
    this.ready = undefined;
    this.enter('idle');
    try {
      await current?.dispose();
    } catch (error) {
      this.options.log.warn(`The language server did not stop properly: ${messageOf(error)}`);
    }
  }

  dispose(): void {
    this.stateChanged.dispose();
  }

  private async launch(): Promise<LanguageClient> {
    const { createClient, listen, greet, log } = this.options;
    const client = createClient(() => this.lose(client));
    this.current = client;
    listen(client);
    this.enter('starting');
    try {
      await client.start();
    } catch (error) {
      log.error('failed server start', messageOf(error));
      this.lose(client);
      throw new ServerGone();
    }
    this.enter('running');
    try {
      await greet(client);
    } catch (error) {
      log.warn('failed greeting of the language server', messageOf(error));
    }
    return client;
  }

  private lose(client: LanguageClient): void {
    if (client !== this.current) return;
    this.ready = undefined;
    this.enter('dead');
  }

  private enter(state: ServerState): void {
    if (this.currentState === state) return;
    this.currentState = state;
    this.stateChanged.fire(state);
  }
}
