namespace Datacake.Simulation;

/// <summary>A message on its way, or, without one, the end of a stream.</summary>
/// <param name="Source">The machine that sent it.</param>
/// <param name="Target">The machine that it goes to.</param>
/// <param name="TargetStore">The store that machine had when the stream was opened.</param>
/// <param name="Stream">The stream between the two that it belongs to.</param>
/// <param name="Encoded">Its bytes; <see langword="null"/> where the stream ends.</param>
/// <param name="Held">What its sender had, or what the snapshot has that it comes of.</param>
/// <param name="Answer">The answer to a pull that it is a part of, or 0: its parts do not overtake each other.</param>
/// <param name="IsOpening">Whether it is the dialer's hello.</param>
/// <param name="Kind">What it is, for logs.</param>
sealed record Envelope(Machine Source, Machine Target, ulong TargetStore, long Stream, byte[]? Encoded,
    Holdings Held, ulong Answer, bool IsOpening, string Kind)
{
    public bool IsBetween(Machine a, Machine b) => (Source == a && Target == b) || (Source == b && Target == a);
}

/// <summary>The messages on their way, and who cannot reach whom.</summary>
sealed class Network(bool isInOrder)
{
    readonly List<Envelope> _inFlight = [];
    readonly HashSet<(int From, int To)> _blocked = [];
    readonly HashSet<(int From, int To)> _undialable = [];
    int _dropped;

    /// <summary>More messages than that are not on their way: some are lost.</summary>
    public required int Capacity { get; init; }

    /// <summary>Whether nothing is lost.</summary>
    public bool IsReliable { get; set; }

    public int Count => _inFlight.Count;

    public IReadOnlyList<Envelope> InFlight => _inFlight;

    public void Block(int from, int to) => _blocked.Add((from, to));

    public void Unblock(int from, int to) => _blocked.Remove((from, to));

    /// <summary>Messages get through again. A machine that cannot be dialed by another still cannot, as long as it can dial that one.</summary>
    public void Heal()
    {
        _blocked.Clear();
        _undialable.RemoveWhere(pair => _undialable.Contains((pair.To, pair.From)));
    }

    /// <summary>From now on, one machine cannot open a connection to another; connections that the other opens carry messages both ways.</summary>
    public void BlockDial(int from, int to) => _undialable.Add((from, to));

    public bool IsDialBlocked(int from, int to) => _undialable.Contains((from, to));

    public bool IsBlocked(int from, int to) => _blocked.Contains((from, to));

    public void Send(Envelope envelope)
    {
        _inFlight.Add(envelope);
        if (!IsReliable && _inFlight.Count > Capacity)
            _inFlight.RemoveAt(_dropped++ * 7919 % (Capacity / 2));
    }

    public void Clear() => _inFlight.Clear();

    /// <summary>Loses all messages of a machine.</summary>
    public void DropFrom(Machine source) => _inFlight.RemoveAll(envelope => envelope.Source == source);

    public void Drop(int chance)
    {
        if (_inFlight.Count > 0)
            _inFlight.RemoveAt(chance % _inFlight.Count);
    }

    public void Duplicate(int chance)
    {
        if (_inFlight.Count > 0 && _inFlight[chance % _inFlight.Count] is { Encoded: not null, IsOpening: false } envelope)
            _inFlight.Add(envelope);
    }

    /// <summary>Takes one of the messages that can arrive; <see langword="null"/> if there is none.</summary>
    public Envelope? Take(int chance)
    {
        int ready = _inFlight.Count(IsReady);
        if (ready == 0)
            return null;
        int skip = chance % ready;
        var chosen = _inFlight.First(envelope => IsReady(envelope) && skip-- == 0);
        var first = _inFlight.First(envelope => envelope.Source == chosen.Source && envelope.Stream == chosen.Stream
            && (isInOrder || (chosen.Answer != 0 && envelope.Answer == chosen.Answer) || envelope == chosen));
        _inFlight.Remove(first);
        return first;
    }

    /// <summary>Takes the oldest message that satisfies a condition and can arrive.</summary>
    public Envelope? TakeFirst(Predicate<Envelope> condition)
    {
        int at = _inFlight.FindIndex(envelope => condition(envelope) && IsReady(envelope));
        if (at < 0)
            return null;
        var envelope = _inFlight[at];
        _inFlight.RemoveAt(at);
        return envelope;
    }

    bool IsReady(Envelope envelope) => !_blocked.Contains((envelope.Source.Index, envelope.Target.Index));
}
