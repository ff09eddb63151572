namespace Datacake.Data.Cells;

/// <summary>Notes whether an entity reads cells ahead of the others, for its class or its constructor.</summary>
sealed class ReadAheadProbe
{
    public bool HasReadAhead { get; set; }
}
