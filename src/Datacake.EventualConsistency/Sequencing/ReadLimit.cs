namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The limit of what a sequencer reads to check one transaction, since everything else waits meanwhile. Not thread-safe.</summary>
/// <param name="maxRecords">The maximum number of records, including those of deleted documents.</param>
/// <param name="maxLength">The maximum length of the documents, in bytes.</param>
sealed class ReadLimit(int maxRecords, long maxLength)
{
    int _records;
    long _length;

    /// <summary>Gets the number of records that may still be read.</summary>
    public int Rest => Math.Max(0, maxRecords - _records);

    /// <summary>True if more was read than the limit allows.</summary>
    public bool IsExceeded => _records > maxRecords || _length > maxLength;

    /// <summary>Counts a record. Returns false if it exceeds the limit.</summary>
    public bool TryRead(int length)
    {
        _records++;
        _length += length;
        return !IsExceeded;
    }
}
