using System.Numerics;

namespace Datacake.Simulation.Histories;

/// <summary>An immutable set of transaction numbers of a history: the transactions that really reached a replica.</summary>
sealed class Holdings
{
    readonly ulong[] _bits;

    Holdings(ulong[] bits) => _bits = bits;

    public static Holdings None { get; } = new([]);

    public static Holdings Of(IReadOnlyList<int> transactions)
    {
        var bits = new ulong[transactions.Count == 0 ? 0 : (transactions.Max() / 64) + 1];
        foreach (int transaction in transactions)
            bits[transaction / 64] |= 1UL << transaction;
        return new Holdings(bits);
    }

    public bool IsEmpty => _bits.AsSpan().IndexOfAnyExcept(0UL) < 0;

    public bool Has(int transaction) => transaction / 64 < _bits.Length && (_bits[transaction / 64] >> transaction & 1) != 0;

    public Holdings Or(Holdings other) => Combine(other, static (mine, theirs) => mine | theirs);

    public Holdings Except(Holdings other) => Combine(other, static (mine, theirs) => mine & ~theirs);

    public Holdings Xor(Holdings other) => Combine(other, static (mine, theirs) => mine ^ theirs);

    public bool SetEquals(Holdings other) => Xor(other).IsEmpty;

    public bool IsSubsetOf(Holdings other) => Except(other).IsEmpty;

    public IEnumerable<int> Transactions
    {
        get
        {
            for (int i = 0; i < _bits.Length; i++)
            {
                for (ulong rest = _bits[i]; rest != 0; rest &= rest - 1)
                    yield return (i * 64) + BitOperations.TrailingZeroCount(rest);
            }
        }
    }

    Holdings Combine(Holdings other, Func<ulong, ulong, ulong> operation)
    {
        var bits = new ulong[Math.Max(_bits.Length, other._bits.Length)];
        for (int i = 0; i < bits.Length; i++)
            bits[i] = operation(i < _bits.Length ? _bits[i] : 0, i < other._bits.Length ? other._bits[i] : 0);
        return new Holdings(bits);
    }
}
