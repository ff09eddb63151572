using System.Globalization;

namespace Datacake.Node;

/// <summary>The node id in the name of a host, as a StatefulSet gives it.</summary>
static class HostNodeId
{
    /// <summary>Returns the number at the end of a host's name, up to its first dot, plus an offset.</summary>
    /// <exception cref="InvalidOperationException">The name does not end with a number, or the id is not from 0 to 255.</exception>
    public static byte Of(string hostName, int offset)
    {
        var label = hostName.Split('.')[0];
        var digits = label[label.TrimEnd("0123456789".ToCharArray()).Length..];
        if (digits.Length == 0)
        {
            throw new InvalidOperationException(
                $"The host name '{hostName}' does not end with a number, as 'shop-2' does, so that it gives no node id. Set one with WithNodeId.");
        }

        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) || ordinal + offset is < 0 or > byte.MaxValue)
        {
            throw new InvalidOperationException(
                $"The host name '{hostName}' gives the node id {digits} with an offset of {offset}, which is not from 0 to 255. "
                + "Choose another offset, or set the id with WithNodeId.");
        }

        return (byte)(ordinal + offset);
    }
}
