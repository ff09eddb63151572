using System.Globalization;

namespace Datacake.EventualConsistency.Tests.Integrity;

/// <summary>Damage to files as caused by disks.</summary>
static class FileDamage
{
    const int PageLength = 4_096;

    /// <summary>Returns the number of repetitions: the value of DATACAKE_FLIPS, or else the given default.</summary>
    public static int Count(int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_FLIPS"), CultureInfo.InvariantCulture, out int asked) ? asked : otherwise;

    /// <summary>Returns a copy of a file with one flipped bit or, one time in five, a lost page, which holds zeros or the content of another page.</summary>
    public static (byte[] Bytes, string What) Make(byte[] sound, Random random)
    {
        byte[] changed = [.. sound];
        if (random.Next(5) > 0)
        {
            int at = random.Next(changed.Length), bit = random.Next(8);
            changed[at] ^= (byte)(1 << bit);
            return (changed, $"a flip of bit {bit} of byte {at}");
        }
        int pages = changed.Length / PageLength, lost = random.Next(pages), other = random.Next(pages);
        bool isZeros = random.Next(2) == 0;
        var page = changed.AsSpan(lost * PageLength, PageLength);
        if (isZeros)
            page.Clear();
        else
            sound.AsSpan(other * PageLength, PageLength).CopyTo(page);
        return (changed, isZeros ? $"page {lost} became zeros" : $"page {other} came in place of page {lost}");
    }
}
