namespace Datacake.Simulation.Histories;

/// <summary>A serial transaction, as recorded in the omniscient history.</summary>
/// <param name="Start">The moment at which it was sent for the first time.</param>
/// <param name="Read">What its user had read, by document: the value, or null for none.</param>
/// <param name="Written">What it writes, by document: the value, or null for a delete.</param>
sealed record SerialTransaction(long Start, IReadOnlyDictionary<int, long?> Read, IReadOnlyDictionary<int, long?> Written)
{
    /// <summary>Gets a name that its user has looked up, and the documents that had it; null if it looked up none.</summary>
    public (int Name, IReadOnlyList<int> Documents)? LookedUp { get; init; }

    /// <summary>Gets how many numbers of the sequence it wants. The document that it writes first has the first of them.</summary>
    public int Numbers { get; init; }

    /// <summary>Gets or sets the numbers that its user was told; null before.</summary>
    public IReadOnlyList<long>? Told { get; set; }

    /// <summary>Gets or sets the moment at which its user was told of the success; null before.</summary>
    public long? End { get; set; }

    /// <summary>True if its user was told that it took no effect.</summary>
    public bool IsRefused { get; set; }
}
