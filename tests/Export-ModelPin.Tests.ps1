BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 4
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Export-ModelPin' {
    BeforeEach {
        $list = Join-Path $TestDrive "$([guid]::NewGuid().ToString('N')).jsonl"
    }

    It 'writes a line of JSON for each model' {
        $manifest = Get-ModelManifest $registry.Name
        $manifest | Export-ModelPin $list | Should -BeNullOrEmpty
        $line = Get-Content $list | ConvertFrom-Json
        $line.name | Should -Be "$($manifest.Name)@$($manifest.Digest)"
        $line.origin | Should -BeLike 'http://127.*'
    }

    It 'leaves a list that is there, where that is wanted, and where nothing came in' {
        Set-Content $list before
        { Get-ModelManifest $registry.Name | Export-ModelPin $list -NoClobber } | Should -Throw -ErrorId 'AmbiguousArgument,*'
        Get-ModelManifest $registry.Name | Export-ModelPin $list -WhatIf
        @() | Export-ModelPin $list -WarningVariable warned -WarningAction SilentlyContinue
        $warned | Should -HaveCount 1
        Get-Content $list | Should -Be before
    }

    It 'says that it cannot write' {
        Get-ModelManifest $registry.Name | Export-ModelPin (Join-Path $TestDrive 'none/list') -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'StoreWriteFailed,*'
        $problem[0].CategoryInfo.Category | Should -Be 'WriteError'
    }
}
