/** The first look at a world without applications. */
export function Empty() {
  return (
    <section className="panel empty">
      <h2>No applications yet</h2>
      <p>
        An Application names a folder in Git and the namespace it belongs to. Apply one and it appears here at once.
      </p>
      <pre>
        <code>kubectl apply -n argocd -f application.yaml</code>
      </pre>
    </section>
  );
}

export function Loading() {
  return (
    <section className="panel" role="status" aria-label="Loading">
      <div className="skeleton" />
      <div className="skeleton tall" />
    </section>
  );
}
