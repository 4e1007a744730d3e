/** A Drydock server that listens on loopback. Disposing stops it and ends its connections; data stays on disk. */
export interface Listening extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}
