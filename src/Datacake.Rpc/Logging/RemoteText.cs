namespace Datacake.Rpc.Logging;

/// <summary>Texts of peers, who may be anybody, on their way to a log or an exception.</summary>
static class RemoteText
{
    /// <summary>Replaces control characters by spaces.</summary>
    public static string OneLine(string text) => text.Any(char.IsControl)
        ? string.Concat(text.Select(static letter => char.IsControl(letter) ? ' ' : letter))
        : text;
}
