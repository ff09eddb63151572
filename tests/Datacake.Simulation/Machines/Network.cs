namespace Datacake.Simulation.Machines;

/// <summary>The messages in flight, and the connections that are blocked.</summary>
sealed class Network(bool isInOrder)
{
    readonly List<Envelope> _inFlight = [];
    readonly HashSet<(int From, int To)> _blocked = [];
    readonly HashSet<(int From, int To)> _undialable = [];
    int _dropped;

    /// <summary>Gets the greatest number of messages in flight; when it is exceeded, messages are lost.</summary>
    public required int Capacity { get; init; }

    /// <summary>True if no message is lost.</summary>
    public bool IsReliable { get; set; }

    public int Count => _inFlight.Count;

    public IReadOnlyList<Envelope> InFlight => _inFlight;

    public void Block(int from, int to) => _blocked.Add((from, to));

    public void Unblock(int from, int to) => _blocked.Remove((from, to));

    /// <summary>
    /// Lets messages through again. If only one of two machines can dial the other, that stays so.
    /// </summary>
    public void Heal()
    {
        _blocked.Clear();
        _undialable.RemoveWhere(pair => _undialable.Contains((pair.To, pair.From)));
    }

    /// <summary>Prevents a machine from opening connections to another. Connections opened by the other still carry messages both ways.</summary>
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

    /// <summary>Loses all messages to a machine.</summary>
    public void DropTo(Machine target) => _inFlight.RemoveAll(envelope => envelope.Target == target);

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

    /// <summary>Removes and returns one of the messages that can arrive, or returns <see langword="null"/> if there is none.</summary>
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

    /// <summary>Removes and returns the oldest message that satisfies a condition and can arrive.</summary>
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
