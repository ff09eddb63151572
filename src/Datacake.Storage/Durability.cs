namespace Datacake.Storage;

/// <summary>The failures that a committed batch survives.</summary>
public enum Durability
{
    /// <summary>A crash of the process, but not a loss of power.</summary>
    Buffered,

    /// <summary>A loss of power. The batch and all batches before it are flushed to the disk before the commit returns.</summary>
    Flushed,
}
