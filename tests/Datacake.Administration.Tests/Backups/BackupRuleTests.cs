using System.Globalization;
using Datacake.Administration.Backups;

namespace Datacake.Administration.Tests.Backups;

/// <summary>The rules of scheduled backups that need no clock: when they are due, which are kept, and what they are called.</summary>
public class BackupRuleTests
{
    [Theory]
    [InlineData("2026-12-01T10:00:00Z", "2026-12-01T16:00:00Z")]
    [InlineData("2026-12-01T20:00:00Z", "2026-12-02T02:00:00Z")]
    public void Backup_is_due_an_interval_after_the_last_one(string last, string next) =>
        Assert.Equal(TimeOf(next), new BackupSchedule(new BackupOptions { Interval = TimeSpan.FromHours(6) }).Next(TimeOf(last)));

    [Theory]
    [InlineData("2026-12-01T02:29:59Z", "2026-12-01T02:30:00Z")]
    [InlineData("2026-12-01T02:30:00Z", "2026-12-01T14:00:00Z")]
    [InlineData("2026-12-01T14:00:01Z", "2026-12-02T02:30:00Z")]
    [InlineData("2026-12-31T23:59:59Z", "2027-01-01T02:30:00Z")]
    public void Backup_is_due_at_the_next_time_of_the_day(string last, string next) =>
        Assert.Equal(TimeOf(next), new BackupSchedule(new BackupOptions { TimesOfDay = [new(14, 0), new(2, 30)] }).Next(TimeOf(last)));

    [Fact]
    public void First_backup_is_due_at_once() =>
        Assert.Equal(DateTimeOffset.MinValue, new BackupSchedule(new BackupOptions { TimesOfDay = [new(2, 30)] }).Next(null));

    [Fact]
    public void Newest_and_young_backups_are_kept()
    {
        var now = TimeOf("2026-12-10T00:00:00Z");
        var files = Enumerable.Range(0, 10).Select(days => new BackupFile($"{days} days", now.AddDays(-days))).ToArray();

        Assert.Equal(["3 days", "4 days", "5 days", "6 days", "7 days", "8 days", "9 days"], Expired(files, keep: 3, keepFor: null));
        Assert.Equal(["6 days", "7 days", "8 days", "9 days"], Expired(files, keep: 3, keepFor: TimeSpan.FromDays(5)));
        Assert.Empty(Expired(files, keep: 10, keepFor: null));
        Assert.Throws<ArgumentOutOfRangeException>(() => Expired(files, keep: 0, keepFor: null));

        string[] Expired(BackupFile[] all, int keep, TimeSpan? keepFor) => [.. BackupRetention.Expired(all, now, keep, keepFor).Select(static file => file.Path)];
    }

    [Fact]
    public void Old_backups_are_kept_if_they_are_the_newest_ones()
    {
        var now = TimeOf("2026-12-10T00:00:00Z");
        BackupFile[] files = [new("year", now.AddYears(-1)), new("decade", now.AddYears(-10))];

        Assert.Equal("decade", Assert.Single(BackupRetention.Expired(files, now, keep: 1, keepFor: TimeSpan.FromDays(1))).Path);
    }

    [Fact]
    public void Backup_from_the_future_replaces_no_other()
    {
        var now = TimeOf("2026-12-10T00:00:00Z");
        BackupFile[] files = [new("future", now.AddDays(1)), new("now", now), new("past", now.AddDays(-1))];

        Assert.Equal("past", Assert.Single(BackupRetention.Expired(files, now, keep: 1, keepFor: null)).Path);
    }

    [Fact]
    public void Name_sorts_by_time_and_names_node_and_cluster()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-backups-").FullName;
        var names = new BackupNames(1, "shop/eu *", "1f2e3d4c5b6a7988");
        DateTimeOffset[] times = [TimeOf("2026-12-01T02:30:00Z"), TimeOf("2026-12-01T14:00:00.123Z"), TimeOf("2027-01-01T00:00:00Z")];
        foreach (var time in times)
            File.WriteAllText(names.PathOf(folder, time), "");
        // Those of other stores, and other files.
        File.WriteAllText(new BackupNames(11, "shop/eu *", "1f2e3d4c5b6a7988").PathOf(folder, times[0]), "");
        File.WriteAllText(new BackupNames(1, "shop/eu *", "0000000000000000").PathOf(folder, times[0]), "");
        File.WriteAllText(BackupNames.UnverifiedPathOf(names.PathOf(folder, times[0])), "");
        File.WriteAllText(Path.Combine(folder, "monday_node1_shop-eu--_1f2e3d4c5b6a7988.backup"), "");

        var found = names.List(folder);

        Assert.Equal("20261201T023000.000Z_node1_shop-eu--_1f2e3d4c5b6a7988.backup", Path.GetFileName(found[0].Path));
        Assert.Equal(times, found.Select(static file => file.Time));
        Assert.Equal(found.Select(static file => file.Path).Order(StringComparer.Ordinal), found.Select(static file => file.Path));
        names.DeleteUnverified(folder);
        Assert.Equal(6, Directory.GetFiles(folder).Length);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("", "01:00:00", 7, "Folder")]
    [InlineData("/backups", null, 7, "Interval")]
    [InlineData("/backups", "00:00:59", 7, "Interval")]
    [InlineData("/backups", "366.00:00:00", 7, "Interval")]
    [InlineData("/backups", "01:00:00", 0, "Keep")]
    public void Invalid_setting_is_refused_by_name(string folder, string? interval, int keep, string name)
    {
        var options = new BackupOptions { Folder = folder, Interval = interval is null ? null : TimeSpan.Parse(interval, CultureInfo.InvariantCulture), Keep = keep };

        var refusal = Assert.Throws<ArgumentException>(options.Validate);

        Assert.Equal(name, refusal.ParamName);
        Assert.Contains($"BackupOptions.{name}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_contradict_each_other_are_refused()
    {
        Assert.Equal("TimesOfDay", Assert.Throws<ArgumentException>(new BackupOptions { Folder = "/backups", Interval = TimeSpan.FromHours(1), TimesOfDay = [new(2, 30)] }.Validate).ParamName);
        Assert.Equal("Folder", Assert.Throws<ArgumentException>(new BackupOptions { Interval = TimeSpan.FromHours(1) }.Validate).ParamName);
        Assert.Equal("KeepFor", Assert.Throws<ArgumentException>(new BackupOptions { Folder = "/backups", Interval = TimeSpan.FromHours(1), KeepFor = TimeSpan.Zero }.Validate).ParamName);
        Assert.Equal("RetryAfter", Assert.Throws<ArgumentException>(new BackupOptions { Folder = "/backups", Interval = TimeSpan.FromHours(1), RetryAfter = TimeSpan.Zero }.Validate).ParamName);
        new BackupOptions().Validate();
    }

    static DateTimeOffset TimeOf(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
