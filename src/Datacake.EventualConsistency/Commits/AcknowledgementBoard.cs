using Datacake.Crdt;

namespace Datacake.EventualConsistency.Commits;

/// <summary>The local transactions that wait for acknowledgements, and those that have come. Thread-safe.</summary>
sealed class AcknowledgementBoard
{
    readonly Lock _lock = new();
    readonly SortedList<ulong, LocalCommit> _waiting = [];      // under the lock; stamps ascend, so an addition goes to the end

    public void Add(LocalCommit commit)
    {
        lock (_lock)
            _waiting.Add(commit.Stamp.Packed, commit);
    }

    /// <summary>A commit that has settled is no longer waited for.</summary>
    public void GiveUp(LocalCommit commit)
    {
        lock (_lock)
            _waiting.Remove(commit.Stamp.Packed);
    }

    /// <summary>A replica has the transactions in the intervals.</summary>
    public void OnAcknowledged(byte node, ReadOnlySpan<StampInterval> applied)
    {
        lock (_lock)
        {
            foreach (var interval in applied)
            {
                for (int i = FirstAbove(interval.Low.Packed); i < _waiting.Count && _waiting.GetKeyAtIndex(i) <= interval.High.Packed;)
                {
                    if (_waiting.GetValueAtIndex(i).Acknowledge(node))
                        _waiting.RemoveAt(i);
                    else
                        i++;
                }
            }
        }
    }

    int FirstAbove(ulong stamp)
    {
        int low = 0, high = _waiting.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_waiting.GetKeyAtIndex(middle) > stamp)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
