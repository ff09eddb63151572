using Datacake.EventualConsistency;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Flights;

/// <summary>The flights of a cache. Thread-safe.</summary>
sealed class FlightTable
{
    readonly Lock _lock = new();
    readonly Dictionary<DocumentKey, List<Flight>> _flights = [];       // under the lock

    /// <summary>Joins the flight of an entry, or begins one.</summary>
    public Flight<T> Join<T>(DocumentKey document, HybridCacheEntryFlags flags, DocumentKey[]? tags, out bool isFirst)
    {
        lock (_lock)
        {
            if (!_flights.TryGetValue(document, out var flights))
                _flights[document] = flights = [];
            foreach (var candidate in flights)
            {
                if (candidate is Flight<T> same && same.Flags == flags && same is { IsDetached: false, Waiting: > 0 })
                {
                    same.Waiting++;
                    isFirst = false;
                    return same;
                }
            }
            var flight = new Flight<T>(document, flags, tags) { Waiting = 1 };
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
            flight.Abandon();
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

    /// <summary>Detaches the flights of an entry, because it was changed.</summary>
    /// <param name="document">The document of the entry.</param>
    /// <param name="isSet">True if it was set by another node, false if it was removed.</param>
    public void Detach(DocumentKey document, bool isSet)
    {
        lock (_lock)
        {
            foreach (var flight in _flights.GetValueOrDefault(document) ?? [])
            {
                flight.Detach();
                if (isSet)
                    flight.OnArrival();
            }
        }
    }

    /// <summary>Detaches the flights of the entries with a tag, or of all entries, because they were invalidated.</summary>
    /// <param name="tag">The tag; null for all entries.</param>
    public void DetachTagged(DocumentKey? tag)
    {
        lock (_lock)
        {
            foreach (var flight in _flights.Values.SelectMany(static flights => flights))
            {
                if (tag is not { } wanted || flight.Tags?.Contains(wanted) == true)
                    flight.Detach();
            }
        }
    }
}
