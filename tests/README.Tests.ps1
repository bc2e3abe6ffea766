BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    $null = Get-StagedModulePath
    $root = Split-Path -Parent $PSScriptRoot
}

Describe 'The README' {
    It 'shows a Pester file that passes' {
        $readme = Get-Content -LiteralPath (Join-Path $root 'README.md') -Raw
        $readme -match '(?s)```powershell\r?\n(# MyPipeline\.Tests\.ps1.*?)```' | Should -BeTrue
        $file = Join-Path $TestDrive 'MyPipeline.Tests.ps1'
        Set-Content -LiteralPath $file -Value $Matches[1]

        # Pester in Pester would share its state, so it runs in a process of its own, in the checkout as the text says.
        $pester = (Get-Module Pester).Path
        $script = "Set-Location '$root'; Import-Module '$pester'; `$result = Invoke-Pester -Path '$file' -PassThru -Output None; `$result.PassedCount; `$result.FailedCount"
        $counts = Invoke-OtherPowerShell $script
        $counts | Select-Object -Last 2 | Should -Be '2', '0'
    }
}
