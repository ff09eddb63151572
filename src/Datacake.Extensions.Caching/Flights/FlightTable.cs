using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Records;
using Datacake.Extensions.Caching.Tags;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Flights;

/// <summary>The flights of a cache. Thread-safe.</summary>
sealed class FlightTable
{
    readonly Lock _lock = new();
    readonly Dictionary<DocumentKey, List<Flight>> _flights = [];       // under the lock
    bool _isClosed;                                                     // under the lock

    /// <summary>Joins the flight of an entry, or begins one. A caller in a factory under a lease joins none that may wait for a lease.</summary>
    public Flight<T> Join<T>(DocumentKey document, HybridCacheEntryFlags flags, DocumentKey[]? tags, bool isInFactory, out bool isFirst)
    {
        lock (_lock)
        {
            if (!_flights.TryGetValue(document, out var flights))
                _flights[document] = flights = [];
            foreach (var candidate in flights)
            {
                if (candidate is Flight<T> same && same.Flags == flags && same.IsInFactory == isInFactory && same is { IsDetached: false, Waiting: > 0 })
                {
                    same.Waiting++;
                    isFirst = false;
                    return same;
                }
            }
            var flight = new Flight<T>(document, flags, tags, isInFactory) { Waiting = 1 };
            flights.Add(flight);
            isFirst = true;
            return flight;
        }
    }

    /// <summary>Leaves a flight, because its result is there or the caller waits no longer. The last caller to leave ends it.</summary>
    public void Leave(Flight flight)
    {
        bool isLast;
        lock (_lock)
            isLast = --flight.Waiting == 0 && _flights.TryGetValue(flight.Document, out var flights) && flights.Contains(flight);
        if (isLast)
            _ = flight.AbandonAsync();
    }

    /// <summary>Removes a flight that has its result.</summary>
    public void Remove(Flight flight)
    {
        lock (_lock)
        {
            if (_flights.TryGetValue(flight.Document, out var flights) && flights.Remove(flight) && flights.Count == 0)
                _flights.Remove(flight.Document);
        }
    }

    /// <summary>Records that the factory of a flight begins, and returns the changes that are known now.</summary>
    /// <param name="flight">The flight.</param>
    /// <param name="entry">The stamp of the entry's document.</param>
    /// <param name="tags">The invalidations. One that is added afterwards is reported to this table afterwards, too, so that none is missed.</param>
    public Knowledge BeginFactory(Flight flight, HlcTimestamp entry, TagTable tags)
    {
        lock (_lock)
            return flight.Known = tags.KnownOf(entry, flight.Tags);
    }

    /// <summary>Returns true if the entry of a flight was changed or invalidated since its factory began, so that its value must not be stored.</summary>
    public bool IsDetached(Flight flight)
    {
        lock (_lock)
            return flight.IsDetached || _isClosed;
    }

    /// <summary>Keeps the values of all factories from being stored from now on.</summary>
    public void Close()
    {
        lock (_lock)
            _isClosed = true;
    }

    /// <summary>Keeps further callers from joining a flight if only one waits for it. Returns false if there are others.</summary>
    public bool TryClose(Flight flight)
    {
        lock (_lock)
            return flight.Waiting <= 1 && (flight.IsDetached = true);
    }

    /// <summary>Detaches the flights of an entry whose factories did not know of a change when they began. A factory that knew of it may still be told, because changes are reported late.</summary>
    /// <param name="document">The document of the entry.</param>
    /// <param name="stamp">The stamp of the change.</param>
    /// <param name="isSet">True if the entry was set, false if it was removed.</param>
    public void Detach(DocumentKey document, HlcTimestamp stamp, bool isSet)
    {
        lock (_lock)
        {
            foreach (var flight in _flights.GetValueOrDefault(document) ?? [])
            {
                flight.IsDetached |= flight.Known?.Entry < stamp;
                if (isSet)
                    flight.OnArrival();
            }
        }
    }

    /// <summary>Detaches the flights of the entries with a tag, or of all entries, whose factories did not know of an invalidation when they began.</summary>
    /// <param name="tag">The tag; null for all entries.</param>
    /// <param name="stamp">The stamp of the invalidation.</param>
    public void DetachTagged(DocumentKey? tag, HlcTimestamp stamp)
    {
        lock (_lock)
        {
            foreach (var flight in _flights.Values.SelectMany(static flights => flights))
            {
                if (flight.Known is { } known)
                    flight.IsDetached |= tag is { } wanted ? Array.Exists(known.Tags, candidate => candidate.Tag == wanted && candidate.Known < stamp) : known.Everything < stamp;
            }
        }
    }

    /// <summary>Detaches all flights whose factories run, because changes were missed.</summary>
    public void DetachAll()
    {
        lock (_lock)
        {
            foreach (var flight in _flights.Values.SelectMany(static flights => flights))
                flight.IsDetached |= flight.Known is not null;
        }
    }
}
