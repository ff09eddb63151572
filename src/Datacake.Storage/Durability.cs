namespace Datacake.Storage;

/// <summary>What a committed batch survives.</summary>
public enum Durability
{
    /// <summary>A crash of the process, not a loss of power.</summary>
    Buffered,

    /// <summary>A loss of power: the batch, and all before it, were forced to the disk before the commit returned.</summary>
    Flushed,
}
