using System.Globalization;

namespace Datacake.Node;

/// <summary>The node id at the end of a host name, as assigned by a Kubernetes StatefulSet.</summary>
static class HostNodeId
{
    /// <summary>Returns the number at the end of the first label of a host name, plus an offset.</summary>
    /// <exception cref="InvalidOperationException">
    /// The label does not end with a number, or the id is not between 0 and 255.
    /// </exception>
    public static byte Of(string hostName, int offset)
    {
        var label = hostName.Split('.')[0];
        var digits = label[label.TrimEnd("0123456789".ToCharArray()).Length..];
        if (digits.Length == 0)
        {
            throw new InvalidOperationException(
                $"The host name '{hostName}' does not end with a number, as 'shop-2' does. Set the node id with WithNodeId.");
        }

        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) || ordinal + offset is < 0 or > byte.MaxValue)
        {
            throw new InvalidOperationException(
                $"The number {digits} at the end of the host name '{hostName}', with the offset {offset}, results in a node id that is not "
                + "between 0 and 255. Use another offset, or set the node id with WithNodeId.");
        }

        return (byte)(ordinal + offset);
    }
}
