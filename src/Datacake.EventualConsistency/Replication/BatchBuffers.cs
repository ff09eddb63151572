using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The buffers that successive batches reuse, so that small batches need not allocate them and large batches need not grow them.
/// </summary>
sealed class BatchBuffers
{
    /// <summary>The number of changes above which a buffer is discarded after its batch.</summary>
    const int MaxKept = 64 * 1024;

    public BatchDocuments Documents { get; private set; } = new();

    public BatchLog Log { get; private set; } = new();

    public Dictionary<ushort, KeyspaceChange> Keyspaces { get; } = [];

    public WriteBatch Operations { get; private set; } = new();

    public BatchMemory Memory { get; } = new();

    /// <summary>Gets the number of the current batch.</summary>
    public long Batch { get; private set; }

    /// <summary>Clears the buffers for the next batch.</summary>
    public void Reset()
    {
        if (Documents.Count > MaxKept)
            Documents = new() { ReadsWait = Documents.ReadsWait };
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
