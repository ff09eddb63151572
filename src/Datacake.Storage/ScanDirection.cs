namespace Datacake.Storage;

/// <summary>The order in which a scan returns its entries.</summary>
public enum ScanDirection
{
    /// <summary>Ascending keys.</summary>
    Forward,

    /// <summary>Descending keys.</summary>
    Reverse,
}
