namespace Datacake.Tool.Transfers;

/// <summary>A part of a file that is sent as one transaction.</summary>
/// <param name="Lines">Whole JSON lines.</param>
/// <param name="Documents">The number of documents in them.</param>
/// <param name="Position">The position in the file after them, to resume from.</param>
/// <param name="Line">The number of the file's lines up to there.</param>
sealed record ImportBlock(ReadOnlyMemory<byte> Lines, int Documents, long Position, long Line)
{
    /// <summary>The length from which a block is sent.</summary>
    public const int Length = 100_000;
}
