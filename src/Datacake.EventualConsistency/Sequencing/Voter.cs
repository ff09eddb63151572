using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// A voter: a store in one life of its records of the sequence [S9]. A store that has forgotten its votes begins another life, and so is a different voter.
/// </summary>
/// <param name="Store">The store id.</param>
/// <param name="Life">The life: 0 for the first one, and a greater number for each later one.</param>
readonly record struct Voter(ulong Store, ulong Life) : IComparable<Voter>
{
    public int CompareTo(Voter other) => (Store, Life).CompareTo((other.Store, other.Life));

    public static void WriteAll(ref MessagePackWriter writer, IReadOnlyList<Voter> voters)
    {
        writer.WriteArrayHeader(voters.Count);
        foreach (var (store, life) in voters)
        {
            writer.Write(store);
            writer.Write(life);
        }
    }

    public static Voter[] ReadAll(ref MessagePackReader reader)
    {
        var voters = new Voter[Record.ReadCount(ref reader, SequenceState.MaxVoters, "voters")];
        for (int i = 0; i < voters.Length; i++)
            voters[i] = new Voter(reader.ReadUInt64(), reader.ReadUInt64());
        return voters;
    }
}
