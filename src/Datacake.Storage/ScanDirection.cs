namespace Datacake.Storage;

/// <summary>The order in which a scan returns its entries.</summary>
public enum ScanDirection
{
    /// <summary>Ascending order of the keys.</summary>
    Forward,

    /// <summary>Descending order of the keys.</summary>
    Reverse,
}
