namespace Datacake.Rpc.Logging;

/// <summary>The sanitization of texts from untrusted peers before they are logged or thrown.</summary>
static class RemoteText
{
    /// <summary>Replaces control characters with spaces.</summary>
    public static string OneLine(string text) => text.Any(char.IsControl)
        ? string.Concat(text.Select(static letter => char.IsControl(letter) ? ' ' : letter))
        : text;
}
