using System.Security.Cryptography;

namespace Datacake.Administration;

/// <summary>The numbers that a node chose for calls of operators. Each is used once, and for a minute at most. Thread-safe.</summary>
sealed class OperatorChallenges(TimeProvider time)
{
    /// <summary>The maximum number of open challenges. Beyond it, the oldest is forgotten.</summary>
    const int MaxOpen = 1_000;

    static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    readonly Lock _lock = new();
    readonly Queue<(string Challenge, long Since)> _order = [];
    readonly HashSet<string> _open = [];

    public byte[] Next()
    {
        byte[] challenge = RandomNumberGenerator.GetBytes(OperatorProof.ChallengeLength);
        lock (_lock)
        {
            ForgetOld();
            string text = Convert.ToHexString(challenge);
            _order.Enqueue((text, time.GetTimestamp()));
            _open.Add(text);
        }
        return challenge;
    }

    /// <summary>Uses a challenge up. Returns false if it was not given out, is too old, or was used.</summary>
    public bool Take(ReadOnlySpan<byte> challenge)
    {
        lock (_lock)
        {
            ForgetOld();
            return _open.Remove(Convert.ToHexString(challenge));
        }
    }

    void ForgetOld()
    {
        while (_order.TryPeek(out var oldest) && (_order.Count >= MaxOpen || time.GetElapsedTime(oldest.Since) > Lifetime))
        {
            _order.Dequeue();
            _open.Remove(oldest.Challenge);
        }
    }
}
