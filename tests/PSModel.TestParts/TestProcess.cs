namespace PSModel.TestParts;

/// <summary>What holds for all tests of a process.</summary>
public static class TestProcess
{
    /// <summary>The servers of tests answer on threads of the pool, which has one for each core and comes by more but slowly: on two
    /// cores a test that is busy on both let an answer wait for more than its twenty seconds.</summary>
    private const int PoolThreads = 32;

    /// <summary>For the initializer of each test assembly.</summary>
    public static void Start()
    {
        ThreadPool.SetMinThreads(PoolThreads, PoolThreads);
        RequestCapture.Start();
    }
}
