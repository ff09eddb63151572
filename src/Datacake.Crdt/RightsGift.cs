namespace Datacake.Crdt;

/// <summary>The rights to a bounded counter that one writer has given to another, in total.</summary>
/// <param name="Run">The run of the receiver.</param>
/// <param name="Store">The store of the receiver.</param>
/// <param name="Down">The amount by which the receiver may decrease the counter.</param>
/// <param name="Up">The amount by which the receiver may increase the counter.</param>
public readonly record struct RightsGift(HlcTimestamp Run, ulong Store, long Down, long Up);
