import { useState } from 'react';
import type { LiveState } from '../../live/state.ts';
import { Icon } from '../../parts/icon.tsx';
import { summarize } from './summary.ts';

const connectionText: Record<LiveState['connection'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Reconnecting',
  unauthorized: 'No access',
};

export function Header({ state }: { state: LiveState }) {
  const summary = state.applications && summarize([...state.applications.values()]);
  return (
    <header className="header">
      <a className="brand" href="/" aria-label="Slipway, to the start">
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>Slipway</span>
      </a>
      <div className="world" aria-live="polite">
        {summary ? (
          <>
            <h1 className={`headline ${summary.tone}`}>{summary.headline}</h1>
            <ul className="counts">
              {summary.parts.map(({ tone, count, text }) => (
                <li key={text} className={tone}>
                  <b>{count}</b> {text}
                </li>
              ))}
            </ul>
          </>
        ) : (
          <h1 className="headline">&nbsp;</h1>
        )}
      </div>
      <div className="status">
        {state.version && <span className="version">v{state.version}</span>}
        <span className={`connection ${state.connection}`}>
          <i aria-hidden="true" />
          {connectionText[state.connection]}
        </span>
        <ThemeSwitch />
      </div>
    </header>
  );
}

const storageKey = 'slipway.theme';

/** Light or dark as the system says, unless chosen here. */
function ThemeSwitch() {
  const [theme, setTheme] = useState(() => {
    const stored = localStorage.getItem(storageKey);
    if (stored) document.documentElement.dataset['theme'] = stored;
    return stored ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  });
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      className="plain"
      aria-label={`Switch to the ${other} theme`}
      title={`Switch to the ${other} theme`}
      onClick={() => {
        localStorage.setItem(storageKey, other);
        document.documentElement.dataset['theme'] = other;
        setTheme(other);
      }}
    >
      <Icon name="moon" size={16} />
    </button>
  );
}
