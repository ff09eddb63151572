using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>What one batch after the other collects its changes in, so that small batches need not make it anew, nor large ones let it grow.</summary>
sealed class BatchBuffers
{
    /// <summary>Beyond so many changes, the buffers of a batch are let go after it.</summary>
    const int MaxKept = 64 * 1024;

    public BatchDocuments Documents { get; private set; } = new();

    public BatchLog Log { get; private set; } = new();

    public Dictionary<ushort, KeyspaceChange> Keyspaces { get; } = [];

    public WriteBatch Operations { get; private set; } = new();

    public BatchMemory Memory { get; } = new();

    /// <summary>The number of the batch.</summary>
    public long Batch { get; private set; }

    /// <summary>Empties the buffers for the next batch.</summary>
    public void Reset()
    {
        if (Documents.Count > MaxKept)
            Documents = new();
        if (Log.Count > MaxKept)
            Log = new();
        if (Operations.Count > MaxKept)
            Operations = new();
        Documents.Clear();
        Log.Clear();
        Keyspaces.Clear();
        Operations.Clear();
        Memory.Reset();
        Batch++;
    }
}
