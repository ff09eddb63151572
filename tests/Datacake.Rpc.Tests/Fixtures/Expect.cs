using System.Runtime.CompilerServices;

namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>Helper methods that wait with a time limit, so that a hang fails the test that caused it.</summary>
static class Expect
{
    public static Task Soon(this Task task) => task.WaitAsync(Eventually.Deadline);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Eventually.Deadline);

    public static Task Soon(this ValueTask task) => task.AsTask().WaitAsync(Eventually.Deadline);

    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Eventually.Deadline);

    /// <summary>Waits for a task to fail and checks the status of the failure.</summary>
    public static async Task<RpcException> Fails(this Task task, RpcStatus status)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => task.Soon());
        Assert.True(failure.Status == status, $"expected {status}, got {failure.Status}: {failure.Message}");
        return failure;
    }

    public static Task<RpcException> Fails<T>(this ValueTask<T> task, RpcStatus status) => task.AsTask().Fails(status);

    public static Task<RpcException> Fails(this ValueTask task, RpcStatus status) => task.AsTask().Fails(status);

    /// <summary>Waits until a condition that no task reports becomes true.</summary>
    public static Task Until(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.WaitUntilAsync(condition, what);

    /// <inheritdoc cref="Until(Func{bool}, string)"/>
    public static Task Until(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.WaitUntilAsync(condition, what);
}
