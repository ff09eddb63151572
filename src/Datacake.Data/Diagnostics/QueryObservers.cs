using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Datacake.Node;

namespace Datacake.Data.Diagnostics;

/// <summary>The observers of the queries of all contexts on a node. Thread-safe.</summary>
sealed class QueryObservers
{
    static readonly ConditionalWeakTable<DatacakeNode, QueryObservers> ByNode = [];

    ImmutableArray<Observer> _observers = [];   // replaced as a whole

    public bool IsEmpty => _observers.IsEmpty;

    public static QueryObservers Of(DatacakeNode node) => ByNode.GetValue(node, static _ => new QueryObservers());

    public IDisposable Add(Action<ObservedQuery> report)
    {
        var observer = new Observer(this, report);
        ImmutableInterlocked.Update(ref _observers, static (all, added) => all.Add(added), observer);
        return observer;
    }

    public void Report(ObservedQuery query)
    {
        foreach (var observer in _observers)
            observer.Report(query);
    }

    sealed class Observer(QueryObservers all, Action<ObservedQuery> report) : IDisposable
    {
        public void Report(ObservedQuery query) => report(query);

        public void Dispose() => ImmutableInterlocked.Update(ref all._observers, static (all, removed) => all.Remove(removed), this);
    }
}
